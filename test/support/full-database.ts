/**
 * Fills a SQLite file with very many rows of each kind, past the store: for size alone. What waits for a
 * worker is due, but for the inquiries: of those very many aren't.
 */

import { once } from "node:events";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { asInquiryId, asUpstreamId } from "../../src/domain/ids.ts";
import { searchEntries, searchRecord } from "../../src/domain/search.ts";
import { encryptContent } from "../../src/storage/encrypted-fields.ts";
import { createFieldEncryption } from "../../src/storage/field-encryption.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What a test asks for by name. */
export const FULL = {
  /** Has every one of the live grants. */
  account: "account-full",
  profile: "p-full",
  /** Has matched every profile of one address. */
  inquiry: "inquiry-full",
  email: "everybody@registered.example",
} as const;

export interface Filling {
  file: string;
  count: number;
  /** In milliseconds. */
  now: number;
  encryptionKey: string;
}

/** Fills it in a thread of its own, which takes what it needs of memory with it. */
export async function fillDatabase(filling: Filling): Promise<void> {
  const [code] = await once(new Worker(new URL(import.meta.url), { workerData: filling }), "exit");
  if (code !== 0) throw new Error("the database couldn't be filled");
}

function fill({ file, count, now, encryptionKey }: Filling): void {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN");
  const insertMany = (sql: string) =>
    database
      .prepare(
        `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${count}) ${sql} ` +
          "FROM n",
      )
      .run({
        ...(sql.includes(":now") ? { now } : {}),
        ...(sql.includes(":old") ? { old: now - 3 * dayMs } : {}),
      });
  for (const sql of [...directory, ...linking, ...signedIn, ...administration]) insertMany(sql);
  database.exec(`
    INSERT INTO accounts (id, created_at) VALUES ('${FULL.account}', 1);
    UPDATE inquiries SET id = '${FULL.inquiry}', settled_at = created_at, matched = ${count} WHERE id =
      'inquiry-0'`);
  fillSearch(database, count);
  fillDeferredMail(database, { count, now, encryptionKey });
  fillCounters(database, now);
  database.exec("COMMIT; PRAGMA wal_checkpoint (TRUNCATE)");
  database.close();
  flush(file);
}

/** Otherwise the first commit that flushes the file flushes all of this. */
function flush(file: string): void {
  const descriptor = openSync(file, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

const requester = `json_object('issuer', 'https://full.example', 'subject', 's-' || i, 'upstreamId',
  'fabrikam',
  'accountId', '${FULL.account}', 'email', null, 'displayName', null)`;

const directory = [
  `INSERT INTO organizations (id, name, account_number, kind, plan_status, plan_expires_at, enabled)
   SELECT 'org-' || i, 'Organization ' || i, 'M-' || i, 'customer', 'active', :now + ${dayMs}, 1`,
  // An invitation that has lapsed each; none is enabled in the way that the last owner's must be.
  `INSERT INTO profiles (
     id, organization_id, email, email_key, email_version, name, roles, enabled, admin_role, invited_at)
   SELECT 'p-' || i, 'org-' || (i / 20), 'person-' || i || '@registered.example', 'person-' || i ||
     '@registered.example', 1,
     'Person ' || i, '["user"]', 1, 'auditor', :now - ${8 * dayMs}`,
  `INSERT INTO profiles (id, organization_id, email, email_key, email_version, name, roles, enabled)
   SELECT 'p-same-' || i, 'org-1', '${FULL.email}', '${FULL.email}', 1, 'Same ' || i, '["user"]', 1`,
  "INSERT INTO accounts (id, created_at) SELECT 'account-' || i, :now - i",
  `INSERT INTO identities (
     issuer, subject, upstream_id, account_id, email, display_name, created_at, last_sign_in_at)
   SELECT 'https://full.example', 's-' || i, 'fabrikam', 'account-' || i, 'person-' || i ||
     '@consumer.example',
     'Person ' || i, :now - i, :now - i`,
];

const linking = [
  `INSERT INTO inquiries (id, requester, interaction_cid, created_at, not_before)
   SELECT 'inquiry-' || i, ${requester}, 'cid-' || i, :now - i, :now + ${dayMs}`,
  `INSERT INTO link_requests (
     id, inquiry_id, secret_hash, purpose, issuer, subject, upstream_id, account_id, profile_id,
       email_version, state,
     created_at, expires_at)
   SELECT 'request-' || i, '${FULL.inquiry}', 'hash-' || i, 'link_profile', 'https://full.example', 's',
     'fabrikam',
     '${FULL.account}', 'p-same-' || i, 1, 'pending', :now - i, :now + ${dayMs}`,
  `INSERT INTO outbox (
     id, message_id, recipient, request_id, state, attempts, created_at, next_attempt_at, due_at, kind,
       inquiry_id)
   SELECT 'sent-' || i, '<sent-' || i || '@x.example>', '${FULL.email}', 'request-' || i, 'sent', 1, :now -
     i, :now, :now,
     'link', '${FULL.inquiry}'`,
];

const signedIn = [
  `INSERT INTO artifacts (model, id_hash, sealed_payload, grant_id, expires_at)
   SELECT 'AccessToken', 'token-' || i, 'v1.x', 'grant-' || i, :old`,
  `INSERT INTO artifacts (model, id_hash, sealed_payload, account_id, session_uid, expires_at)
   SELECT 'Session', 'session-' || i, 'v1.x', 'account-' || i, 'uid-' || i, :old`,
  `INSERT INTO session_clients (session_uid, client_id, sid, grant_id)
   SELECT 'uid-' || i, 'customersource', 'sid', 'grant-' || i`,
  `INSERT INTO upstream_transactions (state_hash, browser_hash, upstream_id, sealed_payload, created_at,
    expires_at)
   SELECT 'state-' || i, 'b', 'fabrikam', 'v1.x', :old, :old`,
  `INSERT INTO sign_in_outcomes (interaction_hash, account_id, upstream_id, auth_time, expires_at)
   SELECT 'outcome-' || i, 'account-' || i, 'fabrikam', 1, :old`,
  "INSERT INTO throttles (key_hash, taken, expires_at) SELECT 'throttle-' || i, 1, :old",
  `INSERT INTO selections (grant_id, session_uid, client_id, account_id, profile_id, expires_at)
   SELECT 'old-' || i, 'uid-old-' || i, 'customersource', 'account-' || i, 'p-' || i, :old`,
  `INSERT INTO selections (grant_id, session_uid, client_id, account_id, profile_id, expires_at)
   SELECT 'live-' || i, 'uid-live-' || i, 'customersource', '${FULL.account}', '${FULL.profile}', :now +
     ${dayMs}`,
  `INSERT INTO sign_outs (id, client_id, account_id, sid, created_at, due_at, attempts)
   SELECT 'sign-out-' || i, 'customersource', 'account-' || i, 'sid', :now, :now, 0`,
];

const administration = [
  `INSERT INTO audit_events (id, at, action, actor, profile_id, organization_id, account_id, detail)
   SELECT 'event-' || i, :now - i, 'profile.changed', 'command:import', 'p-' || i, 'org-1', '${FULL.account}',
     '{"created":true}'`,
  `INSERT INTO idempotency_keys (key_hash, fingerprint, sealed_answer, expires_at)
   SELECT 'key-' || i, 'f', 'v1.x', :old`,
  `INSERT INTO counters (hour, name, count)
   SELECT :old - ${60 * dayMs} + (i / 50) * ${hourMs}, 'upstream_sign_ins:old-' || (i % 50), 1`,
];

/** What the search finds of the profiles that have one word in common, and of the accounts. */
function fillSearch(database: DatabaseSync, count: number): void {
  const insert = database.prepare("INSERT INTO search_terms (entry, record) VALUES (:entry, :record)");
  for (let index = 0; index < count; index += 1) {
    const [id, texts] = [`p-${index}`, [`Person ${index}`, `person-${index}@registered.example`]];
    const record = searchRecord("profile", id);
    for (const entry of searchEntries("profile", id, texts)) insert.run({ entry, record });
  }
}

/**
 * Deferred mails that may go: half of them of very many mailboxes, half of one mailbox and one profile, which
 * have room for few.
 */
function fillDeferredMail(
  database: DatabaseSync,
  { count, now, encryptionKey }: { count: number; now: number; encryptionKey: string },
): void {
  const encryption = createFieldEncryption(encryptionKey);
  const insert = database.prepare(`
    INSERT INTO outbox (
      id, message_id, recipient, sealed_content, state, attempts, created_at, next_attempt_at, due_at,
        mailbox_hash,
      profile_hash, rank, kind)
    VALUES (:id, :messageId, :to, :content, 'held', 0, :createdAt, :due, :due, :mailbox, :profile, 1,
      'already_linked')`);
  for (let index = 0; index < count; index += 1) {
    const id = `held-${index}`;
    const isOfOne = index % 2 === 0;
    const who = { upstreamId: asUpstreamId("fabrikam"), email: null, displayName: null };
    const content = { kind: "already_linked" as const, inquiryId: asInquiryId("inquiry-1"), requester: who };
    insert.run({
      id,
      messageId: `<${id}@x.example>`,
      to: `${id}@registered.example`,
      content: encryptContent(encryption, id, {
        ...content,
        profileName: "Person",
        organizationName: "Organization",
      }),
      createdAt: now - index,
      due: now - 1,
      mailbox: isOfOne ? "mailbox-full" : `mailbox-${index % 20_000}`,
      profile: isOfOne ? "profile-full" : `profile-${index}`,
    });
  }
}

/** A month's counts of very many upstreams. */
function fillCounters(database: DatabaseSync, now: number): void {
  const insert = database.prepare("INSERT INTO counters (hour, name, count) VALUES (:hour, :name, 1)");
  const last = Math.floor(now / hourMs) * hourMs;
  for (let hour = 0; hour < 30 * 24; hour += 1) {
    for (let upstream = 0; upstream < 60; upstream += 1) {
      insert.run({ hour: last - hour * hourMs, name: `upstream_sign_ins:upstream-${upstream}` });
    }
  }
}

if (!isMainThread) fill(workerData as Filling);
