/** Changes by administrators in SQLite: everything that one comes to, in one transaction, or nothing. */

import type { Instant } from "../../clock.ts";
import { invitation } from "../../domain/address-notices.ts";
import {
  apiKeyWritten,
  clientRemoved,
  clientSecretRotated,
  clientWritten,
  grantRevoked,
  sessionEnded,
} from "../../domain/audit-entries.ts";
import { isOwner, mayEndAnOwner } from "../../domain/edits.ts";
import { asAccountId } from "../../domain/ids.ts";
import { INVITATION_LIFE_MS } from "../../domain/invitations.ts";
import type { AdminRole, Membership, ProfileEdit } from "../../domain/records.ts";
import { clientRevision, revisionOf } from "../../domain/revision.ts";
import { as, nullable, text } from "../../sql-columns.ts";
import type { AdminChange, AdminStore, ChangeOutcome, Once, Revocation } from "../contract.ts";
import { contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { AuditWriter } from "./audit.ts";
import type { ClientWriter } from "./clients.ts";
import type { Database } from "./database.ts";
import type { MailWriter } from "./deferred-mail.ts";
import type { DirectoryWriter } from "./directory.ts";
import { STANDS } from "./endings.ts";
import type { BindingWriter } from "./links.ts";
import type { Revoker } from "./revoker.ts";
import type { RoleWriter } from "./roles.ts";
import { API_KEY_JSON, SELECTION_JSON } from "./rows.ts";

export interface ChangeParts {
  audit: AuditWriter;
  clients: ClientWriter;
  directory: DirectoryWriter;
  bindings: BindingWriter;
  queueMail: MailWriter;
  revoker: Revoker;
  roles: RoleWriter;
}

interface By {
  actor: string;
  now: Instant;
}

/** Rolls back what was written so far. */
class Refused extends Error {
  readonly outcome: ChangeOutcome;
  constructor(outcome: ChangeOutcome) {
    super(outcome.result);
    this.outcome = outcome;
  }
}

type Refusal = Exclude<ChangeOutcome["result"], "done" | "repeated">;
const refuse = (result: Refusal): never => {
  throw new Refused({ result });
};

type Appliers = {
  [Kind in AdminChange["kind"]]: (
    change: Extract<AdminChange, { kind: Kind }>,
    by: By,
  ) => Revocation | undefined;
};

export function createChanges(
  database: Database,
  encryption: FieldEncryption,
  parts: ChangeParts,
): Pick<AdminStore, "apply"> {
  const { claim } = idempotency(database, encryption);
  const appliers: Appliers = {
    ...directoryChanges(database, parts),
    ...clientChanges(parts),
    ...accessChanges(database, parts),
  };

  return {
    apply: async (change, { once, ...by }) => {
      try {
        return await database.transaction(() => {
          const repeated = once && claim(once, by.now);
          if (repeated !== undefined) return repeated;
          const done = (appliers[change.kind] as (change: AdminChange, by: By) => Revocation | undefined)(
            change,
            by,
          );
          return { result: "done", revokedGrants: done?.revokedGrants ?? [] };
        });
      } catch (error) {
        if (error instanceof Refused) return error.outcome;
        throw error;
      }
    },
  };
}

/** Creations under a key of their caller's. */
function idempotency(database: Database, encryption: FieldEncryption) {
  const select = database.prepare(
    "SELECT fingerprint, sealed_answer FROM idempotency_keys WHERE key_hash = :keyHash AND expires_at > :now",
    { fingerprint: text, sealed_answer: text },
  );
  const insert = database.prepare(`
    INSERT INTO idempotency_keys (key_hash, fingerprint, sealed_answer, expires_at)
    VALUES (:keyHash, :fingerprint, :answer, :expiresAt)
    ON CONFLICT (key_hash) DO UPDATE SET fingerprint = excluded.fingerprint,
      sealed_answer = excluded.sealed_answer, expires_at = excluded.expires_at`);
  return {
    /** What the first under the key was answered, or undefined for the first itself, whose answer is kept. */
    claim({ keyHash, fingerprint, answer, expiresAt }: Once, now: Instant): ChangeOutcome | undefined {
      const known = select.get({ keyHash, now });
      if (known === undefined) {
        insert.run({
          keyHash,
          fingerprint,
          expiresAt,
          answer: encryption.encrypt(answer, contextOf.answer(keyHash)),
        });
        return undefined;
      }
      return {
        result: "repeated",
        fingerprint: known.fingerprint,
        answer: encryption.decrypt(known.sealed_answer, contextOf.answer(keyHash)),
      };
    },
  };
}

function directoryChanges(
  database: Database,
  { directory, bindings, queueMail, roles }: ChangeParts,
): Pick<
  Appliers,
  | "create_organization"
  | "edit_organization"
  | "create_profile"
  | "edit_profile"
  | "set_admin_role"
  | "invite"
> {
  const registered = database.prepare(
    "SELECT id, account_id FROM profiles WHERE email_key = :emailKey AND organization_id = :organizationId",
    { id: text, account_id: nullable(text) },
  );
  const owners = database.prepare(`
    SELECT 1 FROM profiles p
    WHERE p.organization_id = :id AND p.admin_role = 'owner' AND p.enabled = 1 LIMIT 1`);
  /** To be asked after the write: it is undone then. */
  const keepAnOwner = () => {
    if (!roles.hasOwner()) refuse("last_owner");
  };
  const memberOf = (id: string): Membership => directory.findMembership(id) ?? refuse("missing");

  const giveRole = (before: Membership, adminRole: AdminRole | null, by: By): Revocation => {
    const { profile, organization } = before;
    if (adminRole !== null && organization.kind !== "operator") refuse("not_operator");
    if (profile.adminRole === adminRole) return { revokedGrants: [] };
    const ended = roles.change(profile, adminRole, by);
    if (mayEndAnOwner(before, { profile: { ...profile, adminRole }, organization })) keepAnOwner();
    return ended;
  };

  /**
   * The profile that an invitation is for: a new one, or the only one of its address that nobody has linked.
   */
  const invited = (profile: ProfileEdit, { actor, now }: By): Membership => {
    const { id, emailKey, organizationId } = profile;
    const there = registered.all({ emailKey, organizationId });
    const before = directory.findMembership(id);
    if (there.length === 0 && before === undefined) {
      directory.writeProfile(profile, actor, now);
      return memberOf(id);
    }
    const isFree = there.every((row) => row.account_id === null) && there.some((row) => row.id === id);
    return isFree && before?.profile.enabled === true ? before : refuse("exists");
  };

  return {
    create_organization: ({ organization }, { actor, now }) => {
      if (directory.findOrganization(organization.id) !== undefined) refuse("exists");
      return directory.writeOrganization(organization, actor, now);
    },
    edit_organization: ({ organization, revision }, { actor, now }) => {
      const before = directory.findOrganization(organization.id) ?? refuse("missing");
      if (revisionOf(before) !== revision) refuse("changed");
      const hadOwners = before.enabled && before.kind === "operator" && owners.isAny({ id: before.id });
      const ended = directory.writeOrganization(organization, actor, now);
      if (hadOwners) keepAnOwner();
      return ended;
    },
    create_profile: ({ profile }, { actor, now }) => {
      if (directory.findMembership(profile.id) !== undefined) refuse("exists");
      if (directory.findOrganization(profile.organizationId) === undefined) refuse("missing");
      return directory.writeProfile(profile, actor, now);
    },
    edit_profile: ({ profile, revision, isAnotherPerson, mailDomain }, { actor, now }) => {
      const before = memberOf(profile.id);
      if (revisionOf(before.profile) !== revision) refuse("changed");
      const ended = directory.writeProfile(profile, actor, now, { mailDomain });
      const unbound = isAnotherPerson ? bindings.unbind(profile.id, actor, now) : undefined;
      const after = memberOf(profile.id);
      if (mayEndAnOwner(before, after)) keepAnOwner();
      return { revokedGrants: [...ended.revokedGrants, ...(unbound?.revokedGrants ?? [])] };
    },
    set_admin_role: ({ profileId, adminRole }, by) => giveRole(memberOf(profileId), adminRole, by),
    invite: ({ organization, profile, adminRole, mailDomain }, by) => {
      const { actor, now } = by;
      if (directory.findOrganization(organization.id) === undefined) {
        directory.writeOrganization(organization, actor, now);
      }
      const before = invited(profile, by);
      if (before.profile.adminRole === adminRole) roles.inviteAgain(before.profile, by);
      const ended = giveRole(before, adminRole, by);
      const isLast =
        isOwner({ ...before.profile, adminRole }, before.organization) && !roles.hasOwner(profile.id);
      const lapsesAt = isLast ? null : now + INVITATION_LIFE_MS;
      queueMail(invitation(before.profile, before.organization, { mailDomain, lapsesAt }), now);
      return ended;
    },
  };
}

function clientChanges({
  audit,
  clients,
  revoker,
}: ChangeParts): Pick<Appliers, "register_client" | "edit_client" | "rotate_secret" | "remove_client"> {
  const stored = (id: string) => {
    const client = clients.find(id);
    return client?.managedBy === "admin" ? client : refuse("missing");
  };
  return {
    register_client: ({ client }, { actor, now }) => {
      if (clients.find(client.id) !== undefined) refuse("exists");
      clients.put(client);
      clientWritten(undefined, client, { actor, at: now }).forEach(audit);
      return undefined;
    },
    edit_client: ({ client, revision }, { actor, now }) => {
      const before = stored(client.id);
      if (clientRevision(before) !== revision) refuse("changed");
      const { secret, previousSecret, managedBy } = before;
      clients.put({ ...client, secret, previousSecret, managedBy });
      clientWritten(before, client, { actor, at: now }).forEach(audit);
      return undefined;
    },
    rotate_secret: ({ clientId, secret, previousUntil }, { actor, now }) => {
      const before = stored(clientId);
      if (before.secret === null) return refuse("missing");
      clients.put({ ...before, secret, previousSecret: { secret: before.secret, until: previousUntil } });
      audit(clientSecretRotated(clientId, previousUntil, { actor, at: now }));
      return undefined;
    },
    remove_client: ({ clientId }, { actor, now }) => {
      const before = stored(clientId);
      revoker.end({ kind: "client", id: clientId }, now);
      clients.remove(clientId);
      audit(clientRemoved(before, { actor, at: now }));
      return undefined;
    },
  };
}

function accessChanges(
  database: Database,
  { audit, revoker }: ChangeParts,
): Pick<Appliers, "create_api_key" | "remove_api_key" | "revoke_grant" | "end_session"> {
  const insertKey = database.prepare(`
    INSERT INTO api_keys (id, secret_hash, name, scopes, created_by, created_at, expires_at)
    VALUES (:id, :secretHash, :name, :scopes, :createdBy, :createdAt, :expiresAt) ON CONFLICT DO NOTHING`);
  const removeKey = database.prepare(
    `DELETE FROM api_keys WHERE id = :id RETURNING ${API_KEY_JSON} AS record`,
    { record: API_KEY_JSON },
  );
  const selectGrant = database.prepare(
    `SELECT ${SELECTION_JSON} AS record FROM selections s WHERE s.grant_id = :grantId AND s.expires_at > ` +
      ":now",
    { record: SELECTION_JSON },
  );
  const whose = { account_id: nullable(as(text, asAccountId)) };
  const ofSession = database.prepare(
    "SELECT account_id FROM artifacts WHERE session_uid = :uid AND expires_at > :now LIMIT 1",
    whose,
  );
  const ofGrants = database.prepare(
    `
    SELECT s.account_id FROM selections s
    WHERE s.session_uid = :uid AND s.expires_at > :now AND ${STANDS} LIMIT 1`,
    whose,
  );
  const endClients = database.prepare("DELETE FROM session_clients WHERE session_uid = :uid");
  const endRows = database.prepare("DELETE FROM artifacts WHERE session_uid = :uid");

  return {
    create_api_key: ({ key }, { actor, now }) => {
      const { scopes, lastUsedAt: _never, ...columns } = key;
      if (insertKey.run({ ...columns, scopes: JSON.stringify(scopes) }) === 0) refuse("exists");
      audit(apiKeyWritten("api_key.created", key, { actor, at: now }));
      return undefined;
    },
    remove_api_key: ({ id }, { actor, now }) => {
      const row = removeKey.get({ id });
      if (row === undefined) return refuse("missing");
      audit(apiKeyWritten("api_key.removed", row.record, { actor, at: now }));
      return undefined;
    },
    revoke_grant: ({ grantId }, { actor, now }) => {
      const row = selectGrant.get({ grantId, now });
      if (row === undefined) return refuse("missing");
      audit(grantRevoked(row.record, { actor, at: now }));
      return revoker.one(grantId, now);
    },
    end_session: ({ sessionUid: uid }, { actor, now }) => {
      const row = ofSession.get({ uid, now }) ?? ofGrants.get({ uid, now });
      if (row === undefined) return refuse("missing");
      const accountId = row.account_id;
      const ended = revoker.end({ kind: "session", id: uid }, now);
      endClients.run({ uid });
      endRows.run({ uid });
      audit(sessionEnded(uid, accountId, { actor, at: now }));
      return ended;
    },
  };
}
