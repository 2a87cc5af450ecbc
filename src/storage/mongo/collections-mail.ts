/** The collections of outgoing mail; collections.ts has them among all others. */

import type { OutboxState } from "../../domain/records.ts";
import {
  type CollectionSpecification,
  date,
  expiry,
  fields,
  listOf,
  number,
  objectId,
  oneOfStates,
  orNull,
  string,
  validator,
} from "./specifications.ts";

export const OUTBOX: CollectionSpecification = {
  name: "outbox",
  validator: validator(
    {
      _id: string,
      messageId: string,
      to: string,
      sealedContent: orNull(string),
      requestId: orNull(string),
      state: oneOfStates<OutboxState>({
        held: true,
        carried: true,
        queued: true,
        sent: true,
        bounced: true,
        failed: true,
        dropped: true,
      }),
      attempts: number,
      createdAt: date,
      nextAttemptAt: date,
      dueAt: date,
      leaseWorker: orNull(string),
      sentAt: orNull(date),
      serverReply: orNull(string),
      lastError: orNull(string),
      seq: objectId,
    },
    {
      mailboxHash: orNull(string),
      profileHash: orNull(string),
      rank: number,
      kind: orNull(string),
      inquiryId: orNull(string),
      bouncedAt: orNull(date),
      bounce: orNull(string),
      placeAt: orNull(date),
      askerHash: orNull(string),
      carriedBy: orNull(string),
    },
  ),
  indexes: [
    { name: "byTime", key: { createdAt: -1, seq: -1 } },
    { name: "inState", key: { state: 1, createdAt: -1, seq: -1 } },
    {
      name: "ofInquiry",
      key: { inquiryId: 1, createdAt: -1, seq: -1 },
      // Not by $type: the server wouldn't see that a string is one.
      partialFilterExpression: { inquiryId: { $gt: "" } },
    },
    { name: "byMessageId", key: { messageId: 1 } },
    { name: "queued", key: { dueAt: 1, seq: 1 }, partialFilterExpression: { state: "queued" } },
    {
      // The last field tells it from inState: a server before 5.0 takes no two indexes of one key.
      name: "putOff",
      key: { state: 1, createdAt: -1, seq: -1, lastError: 1 },
      partialFilterExpression: { lastError: { $gt: "" } },
    },
    { name: "held", key: { dueAt: 1 }, partialFilterExpression: { state: "held" } },
    {
      name: "heldOfMailbox",
      key: { mailboxHash: 1, rank: 1, createdAt: -1, seq: -1 },
      partialFilterExpression: { state: "held" },
    },
    {
      name: "heldOfMailboxDue",
      key: { mailboxHash: 1, dueAt: 1 },
      partialFilterExpression: { state: "held" },
    },
    {
      name: "heldOfProfileDue",
      key: { profileHash: 1, dueAt: 1 },
      partialFilterExpression: { state: "held" },
    },
    {
      name: "heldInOrder",
      key: { mailboxHash: 1, rank: 1, placeAt: 1, dueAt: 1, seq: 1 },
      partialFilterExpression: { state: "held" },
    },
    {
      name: "heldOfAsker",
      key: { profileHash: 1, askerHash: 1 },
      partialFilterExpression: { state: "held" },
    },
    {
      name: "carried",
      key: { carriedBy: 1, seq: 1 },
      partialFilterExpression: { state: "carried" },
    },
  ],
};

export const MAILBOXES: CollectionSpecification = {
  name: "mailboxes",
  validator: validator({
    _id: string,
    separate: listOf(fields({ at: number, count: number })),
    collectedAt: orNull(date),
    expiresAt: date,
  }),
  indexes: [expiry],
};
