/** Changes by administrators in MongoDB: everything that one comes to, in one transaction, or nothing. */

import type { ClientSession } from "mongodb";
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
import { INVITATION_LIFE_MS } from "../../domain/invitations.ts";
import type { AccountId, AdminRole, ApiKey, Membership, ProfileEdit } from "../../domain/records.ts";
import { clientRevision, revisionOf } from "../../domain/revision.ts";
import type { AdminChange, AdminStore, ChangeOutcome, Once, Revocation } from "../contract.ts";
import { contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { AuditWriter } from "./audit.ts";
import type { ClientWriter } from "./clients.ts";
import type { MongoDatabase } from "./database.ts";
import type { MailWriter } from "./deferred-mail.ts";
import type { DirectoryWriter, Edits } from "./directory.ts";
import {
  at,
  type ProfileDocument,
  type SelectionDocument,
  toDocument,
  toRecord,
  toSelection,
} from "./documents.ts";
import { standingStages } from "./endings.ts";
import type { BindingWriter } from "./links.ts";
import { type MembershipDocument, toMembership, toMembershipStages } from "./memberships.ts";
import type { OwnerGuard } from "./owners.ts";
import type { Revoker } from "./revoker.ts";
import type { RoleWriter } from "./roles.ts";
import type { Pipeline } from "./typed-collection.ts";

export interface ChangeParts {
  audit: AuditWriter;
  clients: ClientWriter;
  directory: DirectoryWriter;
  bindings: BindingWriter;
  queueMail: MailWriter;
  revoker: Revoker;
  owners: OwnerGuard;
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

type ApplyChange<C> = (session: ClientSession, change: C, by: By) => Promise<Revocation | undefined>;
type ClientChange = "register_client" | "edit_client" | "rotate_secret" | "remove_client";
type AccessChange = "create_api_key" | "remove_api_key" | "revoke_grant" | "end_session";
type DirectoryChange = Exclude<AdminChange["kind"], ClientChange | AccessChange>;
type Appliers = { [Kind in AdminChange["kind"]]: ApplyChange<Extract<AdminChange, { kind: Kind }>> };

export function createChanges(
  database: MongoDatabase,
  encryption: FieldEncryption,
  parts: ChangeParts,
): Pick<AdminStore, "apply"> {
  const claim = claimOnce(database, encryption);
  const appliers: Appliers = {
    ...directoryChanges(database, parts),
    ...clientChanges(parts),
    ...accessChanges(database, parts),
  };

  return {
    apply: async (change, { once, ...by }) => {
      try {
        return await database.transaction(async (session) => {
          const repeated = once && (await claim(session, once, by.now));
          if (repeated !== undefined) return repeated;
          const done = await (appliers[change.kind] as ApplyChange<AdminChange>)(session, change, by);
          return { result: "done", revokedGrants: done?.revokedGrants ?? [] };
        });
      } catch (error) {
        if (error instanceof Refused) return error.outcome;
        throw error;
      }
    },
  };
}

/**
 * Creations under a key of their caller's: what the first was answered, or undefined for the first itself,
 * whose answer is kept.
 */
function claimOnce({ collections }: MongoDatabase, encryption: FieldEncryption) {
  const { idempotencyKeys } = collections;
  return async (session: ClientSession, once: Once, now: Instant): Promise<ChangeOutcome | undefined> => {
    const { keyHash, fingerprint, answer, expiresAt } = once;
    const known = await idempotencyKeys.findOne({ _id: keyHash, expiresAt: { $gt: at(now) } }, { session });
    if (known !== null) {
      const decrypted = encryption.decrypt(known.sealedAnswer, contextOf.answer(keyHash));
      return { result: "repeated", fingerprint: known.fingerprint, answer: decrypted };
    }
    const first = {
      fingerprint,
      sealedAnswer: encryption.encrypt(answer, contextOf.answer(keyHash)),
      expiresAt: at(expiresAt),
    };
    await idempotencyKeys.replaceOne({ _id: keyHash }, first, { session, upsert: true });
    return undefined;
  };
}

function directoryChanges(
  { collections }: MongoDatabase,
  { directory, bindings, queueMail, owners, roles }: ChangeParts,
): Pick<Appliers, DirectoryChange> {
  const { profiles } = collections;
  const readOrganization = (session: ClientSession, id: string, by: By) =>
    directory.read({ organizationIds: [id], profileIds: [] }, by, session);
  const readProfile = (
    session: ClientSession,
    { id, organizationId }: { id: string; organizationId: string },
    by: By & { mailDomain?: string },
  ) => directory.read({ organizationIds: [organizationId], profileIds: [id] }, by, session);
  /** A profile with its organization, as the edits have made them so far. */
  const memberOf = (edits: Edits, id: string): Membership => {
    const profile = edits.profiles.get(id) ?? refuse("missing");
    const organization = edits.organizations.get(profile.organizationId) ?? refuse("missing");
    return { profile, organization };
  };
  /** To be asked after the write: it is undone then. */
  const keepAnOwner = async (session: ClientSession) => {
    if (!(await owners.isLeft(session))) refuse("last_owner");
  };

  const giveRole = async (
    session: ClientSession,
    before: Membership,
    adminRole: AdminRole | null,
    by: By,
  ) => {
    const { profile, organization } = before;
    if (adminRole !== null && organization.kind !== "operator") refuse("not_operator");
    if (profile.adminRole === adminRole) return { revokedGrants: [] };
    const ended = await roles.change(session, profile, adminRole, by);
    if (mayEndAnOwner(before, { profile: { ...profile, adminRole }, organization }))
      await keepAnOwner(session);
    return ended;
  };

  /**
   * Makes the profile that an invitation is for, unless it is the only one of its address and nobody has
   * linked it.
   */
  const admitInvited = async (session: ClientSession, edits: Edits, profile: ProfileEdit) => {
    const { id, emailKey, organizationId } = profile;
    const before = edits.profiles.get(id);
    const there = await profiles.find({ emailKey, organizationId }, { session }).toArray();
    if (there.length === 0 && before === undefined) return edits.profile(profile);
    const isFree = there.every(({ accountId }) => accountId === null) && there.some(({ _id }) => _id === id);
    if (!isFree || before?.enabled !== true) refuse("exists");
  };

  return {
    create_organization: async (session, { organization }, by) => {
      const edits = await readOrganization(session, organization.id, by);
      if (edits.organizations.has(organization.id)) refuse("exists");
      edits.organization(organization);
      return await directory.write(session, edits);
    },
    edit_organization: async (session, { organization, revision }, by) => {
      const edits = await readOrganization(session, organization.id, by);
      const before = edits.organizations.get(organization.id) ?? refuse("missing");
      if (revisionOf(before) !== revision) refuse("changed");
      const counts = [before, organization].some(({ kind }) => kind === "operator");
      const isOther = before.kind !== organization.kind || before.enabled !== organization.enabled;
      if (counts && isOther) await owners.exclude(session);
      const hadOwners = counts && isOther && (await owners.isIn(session, before.id));
      edits.organization(organization);
      const ended = await directory.write(session, edits);
      if (hadOwners) await keepAnOwner(session);
      return ended;
    },
    create_profile: async (session, { profile }, by) => {
      const edits = await readProfile(session, profile, by);
      if (edits.profiles.has(profile.id)) refuse("exists");
      if (!edits.organizations.has(profile.organizationId)) refuse("missing");
      edits.profile(profile);
      return await directory.write(session, edits);
    },
    edit_profile: async (session, { profile, revision, isAnotherPerson, mailDomain }, by) => {
      const edits = await readProfile(session, profile, { ...by, mailDomain });
      const before = edits.profiles.get(profile.id) ?? refuse("missing");
      if (revisionOf(before) !== revision) refuse("changed");
      edits.profile(profile);
      const after = memberOf(edits, profile.id);
      const ends = mayEndAnOwner({ ...after, profile: before }, after);
      if (ends) await owners.exclude(session);
      const ended = await directory.write(session, edits);
      const unbound = isAnotherPerson
        ? await bindings.unbind(session, profile.id, by.actor, by.now)
        : undefined;
      if (ends) await keepAnOwner(session);
      return { revokedGrants: [...ended.revokedGrants, ...(unbound?.revokedGrants ?? [])] };
    },
    set_admin_role: async (session, { profileId, adminRole }, by) => {
      const stages: Pipeline<ProfileDocument> = [{ $match: { _id: profileId } }, ...toMembershipStages];
      const [found] = await profiles.aggregate<MembershipDocument>(stages, { session }).toArray();
      return await giveRole(session, toMembership(found ?? refuse("missing")), adminRole, by);
    },
    invite: async (session, { organization, profile, adminRole, mailDomain }, by) => {
      const ids = { organizationIds: [organization.id, profile.organizationId], profileIds: [profile.id] };
      // Of two who invite an address at once, the second finds the profile that the first has made.
      await owners.exclude(session);
      const edits = await directory.read(ids, by, session);
      if (!edits.organizations.has(organization.id)) edits.organization(organization);
      await admitInvited(session, edits, profile);
      await directory.write(session, edits);
      const before = memberOf(edits, profile.id);
      if (before.profile.adminRole === adminRole) await roles.inviteAgain(session, before.profile, by);
      const ended = await giveRole(session, before, adminRole, by);
      const isOneOfThem = isOwner({ ...before.profile, adminRole }, before.organization);
      const isLast = isOneOfThem && !(await owners.isLeft(session, profile.id));
      const lapsesAt = isLast ? null : by.now + INVITATION_LIFE_MS;
      await queueMail(
        session,
        invitation(before.profile, before.organization, { mailDomain, lapsesAt }),
        by.now,
      );
      return ended;
    },
  };
}

function clientChanges(parts: ChangeParts): Pick<Appliers, ClientChange> {
  const { audit, clients, revoker } = parts;
  const stored = async (session: ClientSession, id: string) => {
    const client = await clients.find(id, session);
    return client?.managedBy === "admin" ? client : refuse("missing");
  };
  return {
    register_client: async (session, { client }, { actor, now }) => {
      if ((await clients.find(client.id, session)) !== undefined) refuse("exists");
      await clients.put(client, session);
      await audit(session, ...clientWritten(undefined, client, { actor, at: now }));
      return undefined;
    },
    edit_client: async (session, { client, revision }, { actor, now }) => {
      const before = await stored(session, client.id);
      if (clientRevision(before) !== revision) refuse("changed");
      const { secret, previousSecret, managedBy } = before;
      await clients.put({ ...client, secret, previousSecret, managedBy }, session);
      await audit(session, ...clientWritten(before, client, { actor, at: now }));
      return undefined;
    },
    rotate_secret: async (session, { clientId, secret, previousUntil }, { actor, now }) => {
      const before = await stored(session, clientId);
      if (before.secret === null) return refuse("missing");
      const previousSecret = { secret: before.secret, until: previousUntil };
      await clients.put({ ...before, secret, previousSecret }, session);
      await audit(session, clientSecretRotated(clientId, previousUntil, { actor, at: now }));
      return undefined;
    },
    remove_client: async (session, { clientId }, { actor, now }) => {
      const before = await stored(session, clientId);
      await revoker.end(session, { kind: "client", id: clientId }, now);
      await clients.remove(session, clientId);
      await audit(session, clientRemoved(before, { actor, at: now }));
      return undefined;
    },
  };
}

function accessChanges({ collections }: MongoDatabase, parts: ChangeParts): Pick<Appliers, AccessChange> {
  const { audit, revoker } = parts;
  const { apiKeys, selections, sessions } = collections;

  /** Whose the grants are that go on without their session. */
  async function ofGrants(session: ClientSession, sessionUid: string, now: Instant): Promise<AccountId> {
    const stages: Pipeline<SelectionDocument> = [
      { $match: { sessionUid, expiresAt: { $gt: at(now) } } },
      ...standingStages,
      { $limit: 1 },
    ];
    const [found] = await selections.aggregate<SelectionDocument>(stages, { session }).toArray();
    return (found ?? refuse("missing")).accountId;
  }

  return {
    create_api_key: async (session, { key }, { actor, now }) => {
      const { id, secretHash } = key;
      const taken = await apiKeys.findOne({ $or: [{ _id: id }, { secretHash }] }, { session });
      if (taken !== null) refuse("exists");
      await apiKeys.insertOne(toDocument({ ...key, lastUsedAt: null }), { session });
      await audit(session, apiKeyWritten("api_key.created", key, { actor, at: now }));
      return undefined;
    },
    remove_api_key: async (session, { id }, { actor, now }) => {
      const removed = await apiKeys.findOneAndDelete({ _id: id }, { session });
      const key = toRecord<ApiKey>(removed ?? refuse("missing"));
      await audit(session, apiKeyWritten("api_key.removed", key, { actor, at: now }));
      return undefined;
    },
    revoke_grant: async (session, { grantId }, { actor, now }) => {
      const found = await selections.findOne({ _id: grantId, expiresAt: { $gt: at(now) } }, { session });
      await audit(session, grantRevoked(toSelection(found ?? refuse("missing")), { actor, at: now }));
      return await revoker.one(session, grantId, now);
    },
    end_session: async (session, { sessionUid }, { actor, now }) => {
      const found = await sessions.findOne({ _id: sessionUid, expiresAt: { $gt: at(now) } }, { session });
      const accountId =
        found === null
          ? await ofGrants(session, sessionUid, now)
          : (found.rows.findLast(({ expiresAt }) => expiresAt.getTime() > now)?.accountId ?? null);
      // Before the session goes: it says what its portals know it by.
      const ended = await revoker.end(session, { kind: "session", id: sessionUid }, now);
      await sessions.deleteOne({ _id: sessionUid }, { session });
      await audit(session, sessionEnded(sessionUid, accountId, { actor, at: now }));
      return ended;
    },
  };
}
