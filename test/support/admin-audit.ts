/**
 * An audit in a real database file, and somebody who can write to that file and doesn't have the key of its
 * chain.
 */

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { type AuditChainWorkerOptions, createAuditChainWorker } from "../../src/admin/audit-chain-worker.ts";
import { auditKeyOf } from "../../src/admin/audit-key.ts";
import { type VerifyDependencies, verifyAudit } from "../../src/admin/audit-verify.ts";
import type { VerificationResult } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";
import { type TemporaryFile, temporaryFile } from "../contract/sqlite-support.ts";
import { TestClock } from "./liaison.ts";
import { anAuditEvent } from "./records.ts";

export interface AuditDeployment {
  file: TemporaryFile;
  store: Store;
  key: Buffer;
  clock: TestClock;
}

export async function deployment(): Promise<AuditDeployment> {
  const file = temporaryFile();
  const store = await file.open();
  return { file, store, key: await auditKeyOf(store.keys), clock: new TestClock() };
}

/** Appends so many events, each a little later than the one before. */
export async function append({ store, clock }: AuditDeployment, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    clock.advance(1);
    await store.audit.append(anAuditEvent({ at: clock.now(), actor: `account:${index}` }));
  }
}

/** Appends what waits, by a worker that nobody else's lease keeps from it. */
export async function appendWaiting(
  made: AuditDeployment,
  more: Partial<AuditChainWorkerOptions> = {},
): Promise<number> {
  made.clock.advance(31);
  return await chainWorkerOf(made, more).runOnce();
}

export function chainWorkerOf(
  { store, key, clock }: AuditDeployment,
  more: Partial<AuditChainWorkerOptions> = {},
) {
  const { audit, administration } = store;
  return createAuditChainWorker({ audit, administration, clock, key, retentionMs: null, ...more });
}

export const verify = ({ store, key }: Pick<AuditDeployment, "store" | "key">, head?: string) =>
  verifyAll({ audit: store.audit, key }, head);

/** Verifies to the end. */
export async function verifyAll(
  dependencies: VerifyDependencies,
  keptHead?: string,
): Promise<VerificationResult> {
  return (await verifyAudit(dependencies, { keptHead })) ?? assert.fail("it was ended by nobody");
}

/** The rows of the chain, as whoever can write to the file sees them. */
export class Intruder {
  readonly database: DatabaseSync;

  constructor(path: string) {
    this.database = new DatabaseSync(path);
  }

  run(sql: string, ...values: (string | number | null)[]): void {
    assert.ok(Number(this.database.prepare(sql).run(...values).changes) > 0, `nothing changed: ${sql}`);
  }

  /** Puts an event at a place, with a MAC of its own making. */
  insert(seq: number | null, actor = "admin:nobody"): void {
    this.run(
      `INSERT INTO audit_events (id, at, action, actor, detail, chain_seq, mac)
       SELECT ?, at, action, ?, detail, ?, ? FROM audit_events LIMIT 1`,
      randomUUID(),
      actor,
      seq,
      seq === null ? null : randomBytes(32).toString("base64url"),
    );
  }
}

/** How many have a place in the chain that is tampered with. */
export const events = 12;

/** What is done to a chain of 12 events of which 2 more wait; what verifying says then. */
export const tampering: [string, (intruder: Intruder) => void, RegExp][] = [
  ...[
    "at = at + 1",
    "action = 'link.bound'",
    "actor = 'system'",
    "profile_id = 'p'",
    "organization_id = NULL",
    "account_id = NULL",
    "request_id = 'r'",
    `detail = '{"reason":"other"}'`,
    "id = 'another'",
    "detail = '{'",
    "mac = NULL",
  ].map((change): [string, (intruder: Intruder) => void, RegExp] => [
    `changes a field: ${change}`,
    (intruder) => intruder.run(`UPDATE audit_events SET ${change} WHERE chain_seq = 5`),
    /^place 5: event .* isn't as it was sealed$/,
  ]),
  [
    "removes an event",
    (intruder) => intruder.run("DELETE FROM audit_events WHERE chain_seq = 7"),
    /^place 7: an event is gone$/,
  ],
  [
    "removes an event and closes the gap",
    (intruder) => {
      intruder.run("DELETE FROM audit_events WHERE chain_seq = 7");
      for (let seq = 8; seq <= events; seq += 1) {
        intruder.run("UPDATE audit_events SET chain_seq = ? WHERE chain_seq = ?", seq - 1, seq);
      }
    },
    /^place 7: event .* isn't as it was sealed$/,
  ],
  [
    "has an event wait for its place again",
    (intruder) => intruder.run("UPDATE audit_events SET chain_seq = NULL, mac = NULL WHERE chain_seq = 7"),
    /^place 7: an event is gone$/,
  ],
  [
    "swaps two events",
    (intruder) => {
      intruder.run("UPDATE audit_events SET chain_seq = 1000 WHERE chain_seq = 3");
      intruder.run("UPDATE audit_events SET chain_seq = 3 WHERE chain_seq = 4");
      intruder.run("UPDATE audit_events SET chain_seq = 4 WHERE chain_seq = 1000");
    },
    /^place 3: event .* isn't as it was sealed$/,
  ],
  [
    "swaps two events but for their MACs",
    (intruder) => {
      const mac = (seq: number) =>
        String(
          intruder.database.prepare("SELECT mac FROM audit_events WHERE chain_seq = ?").get(seq)?.["mac"],
        );
      const [third, fourth] = [mac(3), mac(4)];
      intruder.run("UPDATE audit_events SET chain_seq = 1000, mac = ? WHERE chain_seq = 3", fourth);
      intruder.run("UPDATE audit_events SET chain_seq = 3, mac = ? WHERE chain_seq = 4", third);
      intruder.run("UPDATE audit_events SET chain_seq = 4 WHERE chain_seq = 1000");
    },
    /^place 3: event .* isn't as it was sealed$/,
  ],
  [
    "cuts the tail off",
    (intruder) => intruder.run("DELETE FROM audit_events WHERE chain_seq > 9"),
    /^place 10: the rest is gone$/,
  ],
  [
    "cuts the tail off and moves the head there",
    (intruder) => {
      intruder.run("DELETE FROM audit_events WHERE chain_seq > 9");
      intruder.run(`UPDATE audit_chain SET seq = 9, mac = (SELECT mac FROM audit_events WHERE chain_seq = 9)
        WHERE name = 'head'`);
    },
    /^the end of the chain isn't as it was written$/,
  ],
  [
    "removes all events",
    (intruder) => intruder.run("DELETE FROM audit_events"),
    /^place 1: the rest is gone$/,
  ],
  [
    "inserts an event within the chain",
    (intruder) => {
      for (let seq = events; seq >= 6; seq -= 1) {
        intruder.run("UPDATE audit_events SET chain_seq = ? WHERE chain_seq = ?", seq + 1, seq);
      }
      intruder.insert(6);
    },
    /^place 6: event .* isn't as it was sealed$/,
  ],
  [
    "inserts an event behind the end",
    (intruder) => intruder.insert(events + 1),
    /^place 13: an event stands behind the end of the chain$/,
  ],
  [
    "inserts an event far behind the end",
    (intruder) => intruder.insert(10_000),
    /^place 10000: an event stands behind the end of the chain$/,
  ],
  [
    "inserts an event before the beginning",
    (intruder) => intruder.insert(0),
    /^place 0: an event stands before the/,
  ],
  [
    "inserts an event far before it",
    (intruder) => intruder.insert(-4000),
    /^place -4000: an event stands before the/,
  ],
  [
    "removes the first events and moves the base",
    (intruder) => {
      intruder.run(`UPDATE audit_chain SET seq = 4, mac = (SELECT mac FROM audit_events WHERE chain_seq = 4)
        WHERE name = 'base'`);
      intruder.run("DELETE FROM audit_events WHERE chain_seq <= 4");
    },
    /^the beginning of the chain isn't as it was written$/,
  ],
  [
    "puts the head's mark in the base's place",
    (intruder) => {
      intruder.run(`UPDATE audit_chain SET (seq, mac, at, seal) =
        (SELECT seq, mac, at, seal FROM audit_chain WHERE name = 'head') WHERE name = 'base'`);
      intruder.run("DELETE FROM audit_events WHERE chain_seq IS NOT NULL");
    },
    /^the beginning of the chain isn't as it was written$/,
  ],
  [
    "removes both ends",
    (intruder) => intruder.run("DELETE FROM audit_chain"),
    /^the ends of the chain are gone$/,
  ],
  [
    "removes one end",
    (intruder) => intruder.run("DELETE FROM audit_chain WHERE name = 'base'"),
    /^the ends of the chain are gone$/,
  ],
  [
    "erases a MAC",
    (intruder) => intruder.run("UPDATE audit_events SET mac = '' WHERE chain_seq = 2"),
    /^place 2: /,
  ],
];
