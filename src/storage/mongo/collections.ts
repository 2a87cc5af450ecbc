/**
 * The collections of MongoDB: what the server checks of each document, and the indexes. Every query has one;
 * every unique one is something that single use or uniqueness rests on. Making them, and comparing them with
 * what is there, is ensure-collections.ts's.
 */

import type { AuditVerification } from "../../domain/records.ts";
import { INQUIRIES, LINK_REQUESTS } from "./collections-linking.ts";
import { MAILBOXES, OUTBOX } from "./collections-mail.ts";
import {
  boolean,
  type CollectionSpecification,
  date,
  expiry,
  fields,
  listOf,
  number,
  object,
  objectId,
  oneOf,
  oneOfStates,
  orNull,
  string,
  validator,
} from "./specifications.ts";

/** Every collection as this version has it. */
export const COLLECTIONS: readonly CollectionSpecification[] = [
  { name: "meta", validator: validator({ _id: string, value: string }), indexes: [] },
  { name: "migrations", validator: validator({ _id: number, name: string, appliedAt: date }), indexes: [] },
  {
    name: "accounts",
    validator: validator({ _id: string, createdAt: date }),
    indexes: [{ name: "byTime", key: { createdAt: -1, _id: -1 } }],
  },
  {
    name: "identities",
    validator: validator(
      {
        _id: objectId,
        issuer: string,
        subject: string,
        upstreamId: string,
        accountId: string,
        email: orNull(string),
        displayName: orNull(string),
        createdAt: date,
        lastSignInAt: date,
      },
      { emailVerified: boolean },
    ),
    indexes: [
      { name: "identity", key: { issuer: 1, subject: 1 }, unique: true },
      { name: "ofAccount", key: { accountId: 1, lastSignInAt: -1, _id: -1 } },
    ],
  },
  {
    name: "organizations",
    validator: validator({
      _id: string,
      name: string,
      accountNumber: string,
      enabled: boolean,
      kind: oneOf("customer", "partner", "operator"),
      plan: fields({ status: oneOf("active", "suspended", "none"), expiresAt: orNull(date) }),
    }),
    // A server before 5.0 takes no two indexes of one key, whatever part of the documents each is for.
    indexes: [
      { name: "byName", key: { name: 1, _id: 1 } },
      { name: "ofKind", key: { kind: 1, name: 1, _id: 1 } },
      { name: "disabled", key: { enabled: 1, name: 1, _id: 1 }, partialFilterExpression: { enabled: false } },
      { name: "planEnd", key: { "plan.expiresAt": 1 }, partialFilterExpression: { "plan.status": "active" } },
    ],
  },
  {
    // The binding is one field, so that a profile can't have two; it is only ever set where it is null.
    name: "profiles",
    validator: validator(
      {
        _id: string,
        organizationId: string,
        email: string,
        emailKey: string,
        emailVersion: number,
        name: string,
        roles: listOf(string),
        enabled: boolean,
        adminRole: orNull(string),
        accountId: orNull(string),
        boundAt: orNull(date),
        provenEmailVersion: orNull(number),
      },
      { selections: number, invitedAt: orNull(date) },
    ),
    indexes: [
      { name: "byEmail", key: { emailKey: 1, _id: 1 } },
      { name: "ofAccount", key: { accountId: 1, _id: 1 } },
      { name: "ofOrganization", key: { organizationId: 1, _id: 1 } },
      { name: "byName", key: { name: 1, _id: 1 } },
      { name: "namesOfOrganization", key: { organizationId: 1, name: 1, _id: 1 } },
      { name: "disabled", key: { enabled: 1, name: 1, _id: 1 }, partialFilterExpression: { enabled: false } },
      {
        name: "administrators",
        key: { name: 1, _id: 1, adminRole: 1 },
        partialFilterExpression: { adminRole: { $gt: "" } },
      },
      {
        name: "invited",
        key: { invitedAt: 1 },
        partialFilterExpression: { invitedAt: { $gt: new Date(0) } },
      },
    ],
  },
  INQUIRIES,
  LINK_REQUESTS,
  OUTBOX,
  {
    name: "upstreamTransactions",
    validator: validator(
      {
        _id: string,
        browserHash: string,
        upstreamId: string,
        sealedPayload: string,
        createdAt: date,
        expiresAt: date,
      },
      { attemptHash: string },
    ),
    indexes: [expiry],
  },
  {
    name: "signInOutcomes",
    validator: validator(
      { _id: string, accountId: string, upstreamId: string, authTime: number, expiresAt: date },
      { proofHash: string, authentication: orNull(object) },
    ),
    indexes: [expiry],
  },
  {
    name: "selections",
    validator: validator(
      {
        _id: string,
        sessionUid: string,
        clientId: string,
        accountId: string,
        profileId: string,
        organizationId: string,
        expiresAt: date,
      },
      { replacedBy: orNull(string), endings: number },
    ),
    indexes: [
      {
        name: "ofSession",
        key: { sessionUid: 1, clientId: 1 },
        unique: true,
        partialFilterExpression: { replacedBy: null },
      },
      { name: "everyOfSession", key: { sessionUid: 1 } },
      { name: "replaced", key: { replacedBy: 1 }, partialFilterExpression: { replacedBy: { $gt: "" } } },
      { name: "grantsOfProfile", key: { profileId: 1, _id: 1 } },
      { name: "grantsOfOrganization", key: { organizationId: 1, _id: 1 } },
      { name: "ofAccount", key: { accountId: 1, _id: 1 } },
      { name: "sessionsOfAccount", key: { accountId: 1, sessionUid: 1 } },
      { name: "ofClient", key: { clientId: 1, _id: 1 } },
      expiry,
    ],
  },
  {
    name: "rememberedChoices",
    validator: validator({ _id: objectId, accountId: string, clientId: string, profileId: string }),
    indexes: [
      { name: "choice", key: { accountId: 1, clientId: 1 }, unique: true },
      { name: "ofClient", key: { clientId: 1 } },
    ],
  },
  {
    name: "artifacts",
    validator: validator(
      { _id: string, expiresAt: date },
      {
        sealedPayload: string,
        grantId: string,
        accountId: string,
        clientId: string,
        endings: number,
        consumed: number,
      },
    ),
    indexes: [{ name: "ofGrant", key: { grantId: 1 }, sparse: true }, expiry],
  },
  {
    name: "sessions",
    validator: validator({
      _id: string,
      rows: listOf(
        fields({ idHash: string, sealedPayload: string, accountId: orNull(string), expiresAt: date }),
      ),
      clients: listOf(
        fields({
          clientId: string,
          sid: orNull(string),
          grantId: orNull(string),
          persistsLogout: orNull(boolean),
        }),
      ),
      expiresAt: date,
    }),
    indexes: [
      { name: "byId", key: { "rows.idHash": 1 }, unique: true },
      { name: "rowExpiry", key: { "rows.expiresAt": 1 } },
      { name: "ofAccount", key: { "rows.accountId": 1, _id: 1 } },
      expiry,
    ],
  },
  {
    name: "clients",
    validator: validator(
      { _id: string, sealedSecret: orNull(string), managedBy: string, record: string },
      { sealedPrevious: orNull(string) },
    ),
    indexes: [],
  },
  { name: "keys", validator: validator({ _id: string, sealedValue: string }), indexes: [] },
  {
    name: "throttles",
    validator: validator({ _id: string, taken: number, expiresAt: date }),
    indexes: [expiry],
  },
  MAILBOXES,
  {
    name: "auditEvents",
    validator: validator(
      {
        _id: string,
        at: date,
        action: string,
        actor: string,
        profileId: orNull(string),
        organizationId: orNull(string),
        accountId: orNull(string),
        requestId: orNull(string),
        detail: object,
        seq: objectId,
      },
      { chainSeq: orNull(number), mac: orNull(string) },
    ),
    indexes: [
      { name: "byTime", key: { at: -1, seq: -1 } },
      { name: "ofProfile", key: { profileId: 1, at: -1, seq: -1 } },
      { name: "ofRequest", key: { requestId: 1, at: -1, seq: -1 } },
      { name: "ofOrganization", key: { organizationId: 1, at: -1, seq: -1 } },
      { name: "ofAccount", key: { accountId: 1, at: -1, seq: -1 } },
      { name: "ofActor", key: { actor: 1, at: -1, seq: -1 } },
      { name: "ofAction", key: { action: 1, at: -1, seq: -1 } },
      {
        name: "place",
        key: { chainSeq: 1 },
        unique: true,
        partialFilterExpression: { chainSeq: { $gt: 0 } },
      },
      // What has no place yet stands at its beginning, in the order in which it was written.
      { name: "unsealed", key: { chainSeq: 1, seq: 1 } },
    ],
  },
  {
    name: "auditChain",
    validator: validator({ _id: oneOf("base", "head"), seq: number, mac: string, at: date, seal: string }),
    indexes: [],
  },
  {
    name: "auditVerifications",
    validator: validator({
      _id: string,
      askedBy: string,
      askedAt: date,
      keptHead: orNull(string),
      state: oneOfStates<AuditVerification["state"]>({
        waiting: true,
        running: true,
        finished: true,
        failed: true,
      }),
      startedAt: orNull(date),
      endedAt: orNull(date),
      progress: orNull(object),
      result: orNull(object),
      failure: orNull(string),
      attempts: number,
      seal: string,
      openHead: orNull(string),
      dueAt: orNull(date),
      leaseWorker: orNull(string),
      seq: objectId,
    }),
    indexes: [
      {
        name: "open",
        key: { openHead: 1 },
        unique: true,
        partialFilterExpression: { openHead: { $gt: "" } },
      },
      { name: "due", key: { dueAt: 1, seq: 1 } },
      { name: "byTime", key: { askedAt: -1, seq: -1 } },
    ],
  },
  {
    name: "searchTerms",
    validator: validator({ _id: string, record: string }),
    indexes: [{ name: "ofRecord", key: { record: 1 } }],
  },
  { name: "leases", validator: validator({ _id: string, worker: string, until: date }), indexes: [] },
  {
    name: "counters",
    validator: validator({ _id: string, name: string, hour: date, count: number }),
    indexes: [{ name: "byHour", key: { hour: 1 } }],
  },
  {
    name: "apiKeys",
    validator: validator({
      _id: string,
      name: string,
      secretHash: string,
      scopes: listOf(string),
      createdBy: string,
      createdAt: date,
      expiresAt: date,
      lastUsedAt: orNull(date),
    }),
    indexes: [{ name: "secret", key: { secretHash: 1 }, unique: true }],
  },
  {
    name: "idempotencyKeys",
    validator: validator({ _id: string, fingerprint: string, sealedAnswer: string, expiresAt: date }),
    indexes: [expiry],
  },
  {
    name: "clientUses",
    validator: validator(
      { _id: string, usedAt: orNull(date), previousUsedAt: orNull(date) },
      { refusedAddresses: listOf(fields({ parameter: string, address: string, at: number })) },
    ),
    indexes: [],
  },
  {
    name: "signOuts",
    validator: validator({
      _id: string,
      clientId: string,
      accountId: string,
      sid: orNull(string),
      createdAt: date,
      dueAt: date,
      attempts: number,
      leaseWorker: orNull(string),
      seq: objectId,
    }),
    indexes: [{ name: "due", key: { dueAt: 1, seq: 1 } }],
  },
  {
    name: "endings",
    validator: validator({
      _id: string,
      count: number,
      endedAt: date,
      dueAt: orNull(date),
      place: string,
      leaseWorker: orNull(string),
    }),
    indexes: [{ name: "due", key: { dueAt: 1 }, partialFilterExpression: { dueAt: { $gt: new Date(0) } } }],
  },
];
