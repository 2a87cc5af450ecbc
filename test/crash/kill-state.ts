/**
 * What stands in the database file after a kill, read with nothing but SQLite, and what must hold of it at
 * any time: a settled inquiry has all of its requests and mails or none, and a binding is whole or absent.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Db } from "mongodb";
import { collectionsIn } from "../../src/storage/mongo/documents.ts";
import { linkIn, type ReceivedMail } from "../support/mailbox.ts";

export interface State {
  inquiries: { id: string; isSettled: boolean; keepsAddress: boolean }[];
  requests: { id: string; inquiryId: string; profileId: string; state: string }[];
  mails: { messageId: string; requestId: string | null; state: string; attempts: number }[];
  profiles: { id: string; accountId: string | null }[];
  events: { action: string; profileId: string | null; requestId: string | null }[];
  accounts: number;
}

const queries = {
  inquiries: `SELECT json_object('id', id, 'isSettled', json(iif(settled_at IS NULL, 'false', 'true')),
    'keepsAddress', json(iif(sealed_address IS NULL, 'false', 'true'))) AS record FROM inquiries ORDER BY
      rowid`,
  requests: `SELECT json_object('id', id, 'inquiryId', inquiry_id, 'profileId', profile_id, 'state', state)
    AS record
    FROM link_requests ORDER BY rowid`,
  mails: `SELECT json_object('messageId', message_id, 'requestId', request_id, 'state', state, 'attempts',
    attempts) AS record
    FROM outbox ORDER BY rowid`,
  profiles: "SELECT json_object('id', id, 'accountId', account_id) AS record FROM profiles ORDER BY id",
  events: `SELECT json_object('action', action, 'profileId', profile_id, 'requestId', request_id) AS record
    FROM audit_events ORDER BY rowid`,
  accounts: "SELECT count(*) AS record FROM accounts",
};

/** Reads a file that a broker may have open. */
export function readState(file: string): State {
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    database.exec("BEGIN");
    const records = <T>(query: string) =>
      database
        .prepare(query)
        .all()
        .map(({ record }) => JSON.parse(String(record)) as T);
    return {
      inquiries: records(queries.inquiries),
      requests: records(queries.requests),
      mails: records(queries.mails),
      profiles: records(queries.profiles),
      events: records(queries.events),
      accounts: Number(records(queries.accounts)[0]),
    };
  } finally {
    database.close();
  }
}

/**
 * Reads a database of MongoDB that a broker may be using: of one instant, where it isn't written to
 * meanwhile.
 */
export async function readDatabase(db: Db): Promise<State> {
  const { inquiries, linkRequests, outbox, profiles, auditEvents, accounts } = collectionsIn(db);
  const everything = { _id: { $gt: "" } };
  const inOrder = { hint: { _id: 1 } } as const;
  const settled = await inquiries.find(everything, inOrder).toArray();
  const requests = await linkRequests.find(everything, inOrder).toArray();
  const mails = await outbox.find(everything, inOrder).toArray();
  const bound = await profiles.find(everything, { ...inOrder, sort: { _id: 1 } }).toArray();
  const events = await auditEvents.find(everything, inOrder).toArray();
  return {
    inquiries: settled.map(({ _id: id, settledAt, sealedAddress }) => ({
      id,
      isSettled: settledAt !== null,
      keepsAddress: sealedAddress !== null,
    })),
    requests: requests.map(({ _id: id, inquiryId, profileId, state }) => ({
      id,
      inquiryId,
      profileId,
      state,
    })),
    mails: mails.map(({ messageId, requestId, state, attempts }) => ({
      messageId,
      requestId,
      state,
      attempts,
    })),
    profiles: bound.map(({ _id: id, accountId }) => ({ id, accountId })),
    events: events.map(({ action, profileId, requestId }) => ({ action, profileId, requestId })),
    accounts: await accounts.countDocuments(everything, inOrder),
  };
}

/** The profiles that are bound. */
export function boundIn({ profiles }: State): string[] {
  return profiles.filter(({ accountId }) => accountId !== null).map(({ id }) => id);
}

/** Whether the workers have nothing left to do. */
export function isQuiet({ inquiries, mails }: State): boolean {
  return inquiries.every(({ isSettled }) => isSettled) && mails.every(({ state }) => state !== "queued");
}

/** What holds at every instant, right after a kill too. */
export function assertWhole(state: State): void {
  assert.ok(state.accounts <= 1, "one person has one account");
  assert.equal(count(state.events, "account.created"), state.accounts);
  for (const inquiry of state.inquiries) {
    const requests = state.requests.filter(({ inquiryId }) => inquiryId === inquiry.id);
    assert.equal(
      requests.length,
      inquiry.isSettled ? state.profiles.length : 0,
      "an inquiry is settled whole or not at all",
    );
    assert.equal(inquiry.keepsAddress, !inquiry.isSettled, "the typed address goes when it is settled");
  }
  for (const { id } of state.requests) {
    assert.equal(
      state.mails.filter(({ requestId }) => requestId === id).length,
      1,
      "one mail for each request",
    );
    assert.equal(
      count(state.events, "link.requested", { requestId: id }),
      1,
      "one audit event for each request",
    );
  }
  for (const { id, accountId } of state.profiles) {
    const bindings = accountId === null ? 0 : 1;
    const consumed = state.requests.filter(
      (request) => request.profileId === id && request.state === "bound",
    );
    assert.equal(consumed.length, bindings, "a request is consumed if and only if its profile is bound");
    assert.equal(
      count(state.events, "profile.bound", { profileId: id }),
      bindings,
      "one audit event a binding",
    );
  }
  assert.equal(notices(state).length, boundIn(state).length, "one notice owed for each binding");
}

/**
 * What holds once the workers have nothing left to do: every mail that is owed was sent, under the one
 * Message-ID it has.
 */
export function assertDelivered(state: State, received: readonly ReceivedMail[]): void {
  for (const { messageId, state: mailState } of state.mails) {
    assert.equal(mailState, "sent");
    const copies = received.filter((mail) => mail.messageId === `<${messageId}>`);
    assert.ok(
      copies.length === 1 || copies.length === 2,
      `a mail owed arrives once, or twice for one kill: ${copies.length}`,
    );
    assert.equal(new Set(copies.map(({ text }) => firstLink(text))).size, 1, "copies carry the same link");
  }
  const known = new Set(state.mails.map(({ messageId }) => `<${messageId}>`));
  for (const { messageId } of received) assert.ok(known.has(messageId), "no mail comes from nowhere");
}

/** What was there is there still: rows are never lost, and a profile once bound stays bound. */
export function assertKept(before: State, now: State): void {
  const missing = (kept: string[], all: string[]) => kept.filter((id) => !all.includes(id));
  const ids = ({ inquiries, requests, mails, events }: State) => [
    ...[...inquiries, ...requests].map(({ id }) => id),
    ...mails.map(({ messageId }) => messageId),
    ...events.map(({ action, profileId, requestId }) => [action, profileId, requestId].join()),
  ];
  assert.deepEqual(missing(ids(before), ids(now)), [], "nothing committed is lost");
  assert.deepEqual(missing(boundIn(before), boundIn(now)), [], "no binding is lost");
}

/** How many mails arrived more than once. */
export function duplicates(received: readonly ReceivedMail[]): number {
  return received.length - new Set(received.map(({ messageId }) => messageId)).size;
}

/** The mailed links by profile; of copies, the last. */
export function linksByProfile({ requests }: State, received: readonly ReceivedMail[]): Map<string, string> {
  const links = new Map<string, string>();
  for (const mail of received.filter(isLinkMail)) {
    const link = linkIn(mail);
    const request = requests.find(({ id }) => new URL(link).pathname.split("/")[2] === id);
    assert.ok(request !== undefined, "a mailed link has its request");
    links.set(request.profileId, link);
  }
  return links;
}

export function isLinkMail({ text }: ReceivedMail): boolean {
  return firstLink(text) !== undefined;
}

function firstLink(text: string): string | undefined {
  return /https?:\/\/\S+\/link\/\S+/.exec(text)?.[0];
}

/** Mails that belong to no request. The journey has no others than notices of bindings. */
function notices({ mails }: State): State["mails"] {
  return mails.filter(({ requestId }) => requestId === null);
}

function count(
  events: State["events"],
  action: string,
  about: Partial<Pick<State["events"][number], "profileId" | "requestId">> = {},
): number {
  return events.filter(
    (event) =>
      event.action === action &&
      (about.profileId === undefined || event.profileId === about.profileId) &&
      (about.requestId === undefined || event.requestId === about.requestId),
  ).length;
}
