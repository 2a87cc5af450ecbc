/**
 * The schema of SQLite: an ordered list of migrations, never edited once released. All text compares byte
 * for byte (SQLite's default, BINARY). A migration leaves what a broker of the version before can go on
 * with: it may be running.
 */

import { FIRST_TABLES } from "./first-tables.ts";

export interface SqliteMigration {
  /** What it brings, in a few words. */
  name: string;
  sql: string;
}

/** Migration n (from 1) brings a file from version n - 1 to n. Each runs in a transaction of its own. */
export const SQLITE_MIGRATIONS: readonly SqliteMigration[] = [
  {
    name: "tables",
    sql: FIRST_TABLES,
  },
  {
    // Sign-ins under way lack the age of authentication that their sealed payload now holds: they begin anew.
    name: "how fresh a sign-in must be is sealed with it",
    sql: `
  DELETE FROM upstream_transactions;
  ALTER TABLE upstream_transactions DROP COLUMN forced;
  `,
  },
  {
    name: "one pending link request for each identity and profile",
    sql: `
  UPDATE link_requests AS r SET state = 'superseded', settled_at = unixepoch() * 1000
  WHERE r.state = 'pending' AND EXISTS (
    SELECT 1 FROM link_requests n
    WHERE n.state = 'pending' AND n.profile_id = r.profile_id
      AND n.issuer = r.issuer AND n.subject = r.subject
      AND (n.created_at, n.rowid) > (r.created_at, r.rowid));
  DROP INDEX link_requests_pending;
  CREATE UNIQUE INDEX link_requests_pending
    ON link_requests (profile_id, issuer, subject) WHERE state = 'pending';
  `,
  },
  {
    name: "throttled inquiries, held mails, and what became of both",
    sql: `
  ALTER TABLE inquiries ADD COLUMN issuer TEXT AS (requester ->> '$.issuer');
  ALTER TABLE inquiries ADD COLUMN subject TEXT AS (requester ->> '$.subject');
  ALTER TABLE inquiries ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE inquiries ADD COLUMN held_until INTEGER;
  ALTER TABLE inquiries ADD COLUMN matched INTEGER;
  ALTER TABLE inquiries ADD COLUMN account_id TEXT AS (requester ->> '$.accountId');
  CREATE INDEX inquiries_by_account ON inquiries (account_id, created_at);
  CREATE INDEX inquiries_by_time ON inquiries (created_at);
  CREATE INDEX link_requests_by_inquiry ON link_requests (inquiry_id, created_at);
  CREATE INDEX link_requests_by_profile ON link_requests (profile_id, created_at);
  CREATE INDEX inquiries_held
    ON inquiries (issuer, subject) WHERE settled_at IS NULL AND held_until IS NOT NULL;

  -- Of a message that is held, due_at is when there may be room for it.
  ALTER TABLE outbox ADD COLUMN mailbox_hash TEXT;
  ALTER TABLE outbox ADD COLUMN profile_hash TEXT;
  ALTER TABLE outbox ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE outbox ADD COLUMN kind TEXT;
  ALTER TABLE outbox ADD COLUMN inquiry_id TEXT;
  ALTER TABLE outbox ADD COLUMN bounced_at INTEGER;
  ALTER TABLE outbox ADD COLUMN bounce TEXT;
  CREATE INDEX outbox_by_inquiry ON outbox (inquiry_id, created_at) WHERE inquiry_id IS NOT NULL;
  CREATE INDEX outbox_by_message_id ON outbox (message_id);
  CREATE INDEX outbox_troubled ON outbox (state, created_at) WHERE state IN ('held', 'failed', 'bounced');
  CREATE INDEX outbox_held ON outbox (due_at) WHERE state = 'held';
  CREATE INDEX outbox_held_by_mailbox ON outbox (mailbox_hash, rank, created_at DESC) WHERE state = 'held';
  `,
  },
  {
    // organization_entries(), profile_entries() and account_entries() are prepare-schema.ts's: what
    // domain/search.ts makes of a record.
    name: "administration: lists, search, the chain of the audit, keys, figures",
    sql: `
  CREATE TABLE search_terms (entry TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO search_terms (entry, record)
    SELECT e.value, organization_record(o.id)
    FROM organizations o, json_each(organization_entries(o.id, o.name, o.account_number)) e
    UNION ALL
    SELECT e.value, profile_record(p.id)
    FROM profiles p, json_each(profile_entries(p.id, p.name, p.email_key)) e
    UNION ALL
    SELECT DISTINCT e.value, account_record(i.account_id)
    FROM identities i, json_each(account_entries(i.account_id, i.subject, i.email, i.display_name)) e;
  CREATE INDEX search_terms_by_record ON search_terms (record);

  CREATE INDEX organizations_by_name ON organizations (name, id);
  CREATE INDEX organizations_by_kind ON organizations (kind, name, id);
  CREATE INDEX organizations_disabled ON organizations (name, id) WHERE enabled = 0;
  CREATE INDEX organizations_by_plan_end ON organizations (plan_expires_at) WHERE plan_status = 'active';
  CREATE INDEX profiles_by_name ON profiles (name, id);
  CREATE INDEX profiles_of_organization ON profiles (organization_id, name, id);
  CREATE INDEX profiles_disabled ON profiles (name, id) WHERE enabled = 0;
  CREATE INDEX profiles_administrators ON profiles (name, id) WHERE admin_role IS NOT NULL;
  CREATE INDEX profiles_owners ON profiles (organization_id) WHERE admin_role = 'owner';
  CREATE INDEX remembered_choices_by_client ON remembered_choices (client_id);
  CREATE INDEX accounts_by_time ON accounts (created_at, id);
  CREATE INDEX selections_by_account ON selections (account_id, grant_id);
  CREATE INDEX selections_by_client ON selections (client_id, grant_id);
  CREATE INDEX outbox_by_time ON outbox (created_at);
  CREATE INDEX outbox_by_state ON outbox (state, created_at);

  ALTER TABLE clients ADD COLUMN sealed_previous TEXT;
  CREATE TABLE client_uses (client_id TEXT PRIMARY KEY, used_at INTEGER, previous_used_at INTEGER) STRICT;

  ALTER TABLE audit_events ADD COLUMN chain_seq INTEGER;
  ALTER TABLE audit_events ADD COLUMN mac TEXT;
  CREATE UNIQUE INDEX audit_events_by_place ON audit_events (chain_seq) WHERE chain_seq IS NOT NULL;
  CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE chain_seq IS NULL;
  CREATE INDEX audit_events_by_organization ON audit_events (organization_id, at);
  CREATE INDEX audit_events_by_account ON audit_events (account_id, at);
  CREATE INDEX audit_events_by_actor ON audit_events (actor, at);
  CREATE INDEX audit_events_by_action ON audit_events (action, at);
  CREATE TABLE audit_chain (
    name TEXT PRIMARY KEY, seq INTEGER NOT NULL, mac TEXT NOT NULL, at INTEGER NOT NULL, seal TEXT NOT NULL
  ) STRICT;

  CREATE TABLE leases (name TEXT PRIMARY KEY, worker TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
  CREATE TABLE counters (
    hour INTEGER NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (hour, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL,
    created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, last_used_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX api_keys_by_secret ON api_keys (secret_hash);
  CREATE TABLE idempotency_keys (
    key_hash TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, sealed_answer TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
  CREATE TABLE sign_outs (
    id TEXT PRIMARY KEY, client_id TEXT NOT NULL, account_id TEXT NOT NULL, sid TEXT,
    created_at INTEGER NOT NULL, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL, lease_worker TEXT
  ) STRICT;
  CREATE INDEX sign_outs_due ON sign_outs (due_at);
  `,
  },
  {
    name: "whose a finished sign-in is, selections being switched, invitations that lapse",
    sql: `
  -- Without it an outcome is nobody's: its browser signs in again.
  ALTER TABLE sign_in_outcomes ADD COLUMN proof_hash TEXT;
  ALTER TABLE sign_in_outcomes ADD COLUMN authentication TEXT;
  -- Who has taken a sign-in, beside the browser that it stays bound to.
  ALTER TABLE upstream_transactions ADD COLUMN attempt_hash TEXT;

  -- A selection that was switched from goes on until the code of the one in its place is redeemed.
  ALTER TABLE selections ADD COLUMN replaced_by TEXT;
  DROP INDEX selections_by_session;
  CREATE UNIQUE INDEX selections_by_session ON selections (session_uid, client_id) WHERE replaced_by IS NULL;
  CREATE INDEX selections_of_session ON selections (session_uid);
  CREATE INDEX selections_replaced ON selections (replaced_by) WHERE replaced_by IS NOT NULL;

  ALTER TABLE profiles ADD COLUMN invited_at INTEGER;
  CREATE INDEX profiles_invited ON profiles (invited_at) WHERE invited_at IS NOT NULL;
  -- The time of invitations that wait already begins now.
  UPDATE profiles SET invited_at = unixepoch() * 1000 WHERE admin_role IS NOT NULL AND account_id IS NULL;
  `,
  },
  {
    name: "audit events that wait for their place, in the order in which they were written",
    sql: `
  -- Of equal keys the rows come in the order of their rowids: no sorting, however many wait.
  DROP INDEX audit_events_unsealed;
  CREATE INDEX audit_events_unsealed ON audit_events (chain_seq) WHERE chain_seq IS NULL;
  `,
  },
  {
    name: "what waits is claimed by indexes in the order of the claims",
    sql: `
  -- Computed, so that rows which a broker of the version before writes have it, too. It claims by
  -- inquiries_unsettled.
  ALTER TABLE inquiries ADD COLUMN due_at INTEGER AS (max(not_before, lease_until));
  CREATE INDEX inquiries_due ON inquiries (due_at) WHERE settled_at IS NULL;
  ALTER TABLE inquiries ADD COLUMN answered_to TEXT;
  -- Read backwards: by rank, of equals the newest, of those the last.
  CREATE INDEX outbox_held_in_turn ON outbox (mailbox_hash, rank DESC, created_at) WHERE state = 'held';
  DROP INDEX outbox_held_by_mailbox;
  `,
  },
  {
    name: "verifications of the audit, as jobs",
    sql: `
  -- open_head: of those that haven't ended, so that two who ask for the same get one. due_at: when it may be
  -- claimed; a lease moves it on, as in the outbox.
  CREATE TABLE audit_verifications (
    id TEXT PRIMARY KEY, asked_by TEXT NOT NULL, asked_at INTEGER NOT NULL, kept_head TEXT,
    state TEXT NOT NULL, started_at INTEGER, ended_at INTEGER, progress TEXT, result TEXT, failure TEXT,
    attempts INTEGER NOT NULL, seal TEXT NOT NULL, open_head TEXT, due_at INTEGER, lease_worker TEXT
  ) STRICT;
  CREATE UNIQUE INDEX audit_verifications_open ON audit_verifications (open_head) WHERE open_head IS NOT NULL;
  CREATE INDEX audit_verifications_due ON audit_verifications (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX audit_verifications_by_time ON audit_verifications (asked_at);
  `,
  },
  {
    name: "held mails by what has no room for them, grants of a profile in the order of their list",
    sql: `
  CREATE INDEX outbox_held_of_mailbox ON outbox (mailbox_hash, due_at) WHERE state = 'held';
  CREATE INDEX outbox_held_of_profile ON outbox (profile_hash, due_at) WHERE state = 'held';
  -- As outbox_held_in_turn, which a broker of the version before names; this one says without the rows which
  -- aren't due.
  CREATE INDEX outbox_held_by_rank
    ON outbox (mailbox_hash, rank DESC, created_at, due_at) WHERE state = 'held';
  CREATE INDEX selections_of_profile ON selections (profile_id, grant_id);
  DROP INDEX selections_by_profile;
  `,
  },
  {
    name: "endings of many grants, whose rows go in the background",
    sql: `
  -- due_at: when the next rows are to be removed; NULL once none are left. What was counted stays.
  CREATE TABLE endings (
    key TEXT PRIMARY KEY, count INTEGER NOT NULL, ended_at INTEGER NOT NULL, due_at INTEGER,
    place TEXT NOT NULL, lease_worker TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX endings_due ON endings (due_at) WHERE due_at IS NOT NULL;

  -- How many endings a selection was under when it was made, and the organization of its profile, which never
  -- changes.
  ALTER TABLE selections ADD COLUMN endings INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE selections ADD COLUMN organization_id TEXT;
  UPDATE selections
  SET organization_id = (SELECT organization_id FROM profiles WHERE id = selections.profile_id);
  -- For those that a broker of the version before makes.
  CREATE TRIGGER selections_place AFTER INSERT ON selections WHEN new.organization_id IS NULL
  BEGIN
    UPDATE selections SET organization_id = (SELECT organization_id FROM profiles WHERE id = new.profile_id)
    WHERE rowid = new.rowid;
  END;
  CREATE INDEX selections_of_organization ON selections (organization_id, grant_id);
  DROP INDEX selections_of_session;
  CREATE INDEX selections_of_session ON selections (session_uid, grant_id);

  -- The pending requests of an organization, found without a walk over its profiles. A broker of the version
  -- before leaves it out; a trigger would have each insert look for mails that wait for their request.
  ALTER TABLE link_requests ADD COLUMN organization_id TEXT;
  UPDATE link_requests
  SET organization_id = (SELECT organization_id FROM profiles WHERE id = link_requests.profile_id)
  WHERE state = 'pending';
  CREATE INDEX link_requests_pending_of_organization
    ON link_requests (organization_id) WHERE state = 'pending';

  -- How many endings of its client there were when a client's own token was made.
  ALTER TABLE artifacts ADD COLUMN client_id TEXT;
  ALTER TABLE artifacts ADD COLUMN endings INTEGER NOT NULL DEFAULT 0;
  `,
  },
  {
    name: "one mail that carries what waits for a mailbox",
    sql: `
  -- separate: when it got mails of their own, [{ "at": instant, "count": number }], oldest first.
  CREATE TABLE mailboxes (
    key_hash TEXT PRIMARY KEY, separate TEXT NOT NULL, collected_at INTEGER, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX mailboxes_by_expiry ON mailboxes (expires_at);

  -- Of what is held: since when it waits (it may have taken the place of an earlier one), and who asked for
  -- it. What a broker of the version before holds has neither; it comes first of its rank.
  ALTER TABLE outbox ADD COLUMN place_at INTEGER;
  ALTER TABLE outbox ADD COLUMN asker_hash TEXT;
  ALTER TABLE outbox ADD COLUMN carried_by TEXT;
  UPDATE outbox SET place_at = created_at WHERE state = 'held';
  CREATE INDEX outbox_held_in_order ON outbox (mailbox_hash, rank, place_at, due_at) WHERE state = 'held';
  CREATE INDEX outbox_held_of_asker ON outbox (profile_hash, asker_hash) WHERE state = 'held';
  CREATE INDEX outbox_carried ON outbox (carried_by) WHERE state = 'carried';

  -- Whether the upstream says that it has verified the address. A broker of the version before leaves it as
  -- it is.
  ALTER TABLE identities ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0;
  `,
  },
  {
    name: "unregistered addresses that came with a client's id",
    sql: `
  -- A few for each client, [{ "parameter": name, "address": text, "at": instant }], newest first.
  ALTER TABLE client_uses ADD COLUMN refused_addresses TEXT NOT NULL DEFAULT '[]';
  `,
  },
  {
    name: "sessions by their account, mails that were put off",
    sql: `
  CREATE INDEX outbox_put_off ON outbox (created_at) WHERE state = 'queued' AND last_error IS NOT NULL;
  CREATE INDEX artifacts_sessions_of_account
    ON artifacts (account_id, session_uid) WHERE session_uid IS NOT NULL;
  CREATE INDEX selections_sessions_of_account ON selections (account_id, session_uid);
  `,
  },
];
