/** The collections of inquiries and link requests; collections.ts has them among all others. */

import type { LinkRequestState } from "../../domain/records.ts";
import {
  boolean,
  type CollectionSpecification,
  date,
  fields,
  number,
  objectId,
  oneOf,
  oneOfStates,
  orNull,
  string,
  validator,
} from "./specifications.ts";

const requester = fields(
  {
    issuer: string,
    subject: string,
    upstreamId: string,
    accountId: string,
    email: orNull(string),
    displayName: orNull(string),
  },
  { emailVerified: boolean },
);

export const INQUIRIES: CollectionSpecification = {
  name: "inquiries",
  validator: validator(
    {
      _id: string,
      requester,
      interactionCid: string,
      state: oneOf("waiting", "settled"),
      createdAt: date,
      notBefore: date,
      settledAt: orNull(date),
      sealedAddress: orNull(string),
      leaseWorker: orNull(string),
      leaseUntil: date,
      seq: objectId,
    },
    {
      ordinal: number,
      heldUntil: orNull(date),
      matched: orNull(number),
      dueAt: date,
      answeredTo: orNull(string),
    },
  ),
  indexes: [
    { name: "ofInteraction", key: { interactionCid: 1, createdAt: -1, seq: -1 } },
    { name: "due", key: { dueAt: 1, seq: 1 }, partialFilterExpression: { state: "waiting" } },
    // What a broker of the version before claims by.
    { name: "waiting", key: { createdAt: 1, seq: 1 }, partialFilterExpression: { state: "waiting" } },
    { name: "byTime", key: { createdAt: -1, seq: -1 } },
    { name: "ofAccount", key: { "requester.accountId": 1, createdAt: -1, seq: -1 } },
    {
      name: "waitingOfIdentity",
      key: { "requester.issuer": 1, "requester.subject": 1 },
      partialFilterExpression: { state: "waiting" },
    },
  ],
};

export const LINK_REQUESTS: CollectionSpecification = {
  name: "linkRequests",
  validator: validator({
    _id: string,
    inquiryId: string,
    secretHash: string,
    purpose: oneOf("link_profile"),
    requester,
    profileId: string,
    organizationId: string,
    emailVersion: number,
    state: oneOfStates<LinkRequestState>({
      pending: true,
      bound: true,
      cancelled: true,
      superseded: true,
      void: true,
    }),
    createdAt: date,
    expiresAt: date,
    settledAt: orNull(date),
  }),
  indexes: [
    { name: "secret", key: { secretHash: 1 }, unique: true },
    { name: "ofInquiry", key: { inquiryId: 1, createdAt: 1 } },
    { name: "ofProfile", key: { profileId: 1, createdAt: -1 } },
    { name: "pendingOfProfile", key: { profileId: 1 }, partialFilterExpression: { state: "pending" } },
    {
      name: "pendingOfOrganization",
      key: { organizationId: 1 },
      partialFilterExpression: { state: "pending" },
    },
    {
      name: "onePending",
      key: { profileId: 1, "requester.issuer": 1, "requester.subject": 1 },
      unique: true,
      partialFilterExpression: { state: "pending" },
    },
  ],
};
