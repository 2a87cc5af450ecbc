/** The tables of the first migration, as they were released: what changed since is in migrations.ts. */

export const FIRST_TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE accounts (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;

  CREATE TABLE identities (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, upstream_id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    email TEXT, display_name TEXT, created_at INTEGER NOT NULL, last_sign_in_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX identities_by_key ON identities (issuer, subject);
  CREATE INDEX identities_by_account ON identities (account_id, last_sign_in_at);

  CREATE TABLE organizations (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, account_number TEXT NOT NULL, kind TEXT NOT NULL,
    plan_status TEXT NOT NULL, plan_expires_at INTEGER, enabled INTEGER NOT NULL
  ) STRICT;

  -- The binding is one column, so that a profile can't have two; it is only ever set where it IS NULL.
  CREATE TABLE profiles (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    email TEXT NOT NULL, email_key TEXT NOT NULL, email_version INTEGER NOT NULL,
    name TEXT NOT NULL, roles TEXT NOT NULL, enabled INTEGER NOT NULL, admin_role TEXT,
    account_id TEXT REFERENCES accounts (id), bound_at INTEGER, proven_email_version INTEGER
  ) STRICT;
  CREATE INDEX profiles_by_email ON profiles (email_key, id);
  CREATE INDEX profiles_by_account ON profiles (account_id, id);
  CREATE INDEX profiles_by_organization ON profiles (organization_id, id);

  CREATE TABLE inquiries (
    id TEXT PRIMARY KEY, requester TEXT NOT NULL, sealed_address TEXT, interaction_cid TEXT NOT NULL,
    created_at INTEGER NOT NULL, not_before INTEGER NOT NULL, settled_at INTEGER,
    lease_worker TEXT, lease_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX inquiries_by_interaction ON inquiries (interaction_cid, created_at);
  CREATE INDEX inquiries_unsettled ON inquiries (created_at) WHERE settled_at IS NULL;

  CREATE TABLE link_requests (
    id TEXT PRIMARY KEY, inquiry_id TEXT NOT NULL REFERENCES inquiries (id),
    secret_hash TEXT NOT NULL, purpose TEXT NOT NULL,
    issuer TEXT NOT NULL, subject TEXT NOT NULL, upstream_id TEXT NOT NULL, account_id TEXT NOT NULL,
    requester_email TEXT, requester_name TEXT,
    profile_id TEXT NOT NULL REFERENCES profiles (id), email_version INTEGER NOT NULL,
    state TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, settled_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX link_requests_by_secret ON link_requests (secret_hash);
  CREATE INDEX link_requests_pending ON link_requests (profile_id, issuer, subject) WHERE state = 'pending';

  CREATE TABLE outbox (
    id TEXT PRIMARY KEY, message_id TEXT NOT NULL, recipient TEXT NOT NULL, sealed_content TEXT,
    request_id TEXT REFERENCES link_requests (id),
    state TEXT NOT NULL, attempts INTEGER NOT NULL, created_at INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL, due_at INTEGER NOT NULL, lease_worker TEXT,
    sent_at INTEGER, server_reply TEXT, last_error TEXT
  ) STRICT;
  CREATE INDEX outbox_queued ON outbox (due_at) WHERE state = 'queued';

  CREATE TABLE upstream_transactions (
    state_hash TEXT PRIMARY KEY, browser_hash TEXT NOT NULL, upstream_id TEXT NOT NULL,
    forced INTEGER NOT NULL, sealed_payload TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX upstream_transactions_by_expiry ON upstream_transactions (expires_at);

  CREATE TABLE sign_in_outcomes (
    interaction_hash TEXT PRIMARY KEY, account_id TEXT NOT NULL, upstream_id TEXT NOT NULL,
    auth_time INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sign_in_outcomes_by_expiry ON sign_in_outcomes (expires_at);

  CREATE TABLE selections (
    grant_id TEXT NOT NULL, session_uid TEXT NOT NULL, client_id TEXT NOT NULL, account_id TEXT NOT NULL,
    profile_id TEXT NOT NULL REFERENCES profiles (id), expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX selections_by_grant ON selections (grant_id);
  CREATE UNIQUE INDEX selections_by_session ON selections (session_uid, client_id);
  CREATE INDEX selections_by_profile ON selections (profile_id);
  CREATE INDEX selections_by_expiry ON selections (expires_at);

  CREATE TABLE remembered_choices (
    account_id TEXT NOT NULL, client_id TEXT NOT NULL, profile_id TEXT NOT NULL,
    PRIMARY KEY (account_id, client_id)
  ) STRICT, WITHOUT ROWID;

  -- Sessions are artifacts with a uid; their clients' shares are rows of their own.
  CREATE TABLE artifacts (
    model TEXT NOT NULL, id_hash TEXT NOT NULL, sealed_payload TEXT, grant_id TEXT, account_id TEXT,
    session_uid TEXT, consumed_at INTEGER, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX artifacts_by_id ON artifacts (model, id_hash);
  CREATE INDEX artifacts_by_grant ON artifacts (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX artifacts_by_session ON artifacts (session_uid) WHERE session_uid IS NOT NULL;
  CREATE INDEX artifacts_by_expiry ON artifacts (expires_at);

  CREATE TABLE session_clients (
    session_uid TEXT NOT NULL, client_id TEXT NOT NULL, sid TEXT, grant_id TEXT, persists_logout INTEGER,
    PRIMARY KEY (session_uid, client_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE clients (
    id TEXT PRIMARY KEY, sealed_secret TEXT, managed_by TEXT NOT NULL, record TEXT NOT NULL
  ) STRICT;

  CREATE TABLE keys (name TEXT PRIMARY KEY, sealed_value TEXT NOT NULL) STRICT;

  CREATE TABLE throttles (
    key_hash TEXT PRIMARY KEY, taken INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX throttles_by_expiry ON throttles (expires_at);

  CREATE TABLE audit_events (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, action TEXT NOT NULL, actor TEXT NOT NULL,
    profile_id TEXT, organization_id TEXT, account_id TEXT, request_id TEXT, detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_events_by_time ON audit_events (at);
  CREATE INDEX audit_events_by_profile ON audit_events (profile_id, at);
  CREATE INDEX audit_events_by_request ON audit_events (request_id, at);
  `;
