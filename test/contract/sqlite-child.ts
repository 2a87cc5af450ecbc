/**
 * A process of its own on a database file, for the cases that need another process or the death of one:
 *   kill <n> <file> <attempt>   redeems, and is killed by SIGKILL in place of the n-th statement of that
 *   kill-consume <n> <file> <code>   consumes a code that ends a grant, and is killed in place of the n-th
 *                                    statement of that
 *   kill-verify <n> <file>      verifies the audit where that was asked for, and is killed in place of the
 *                               n-th statement of that
 *   kill-release <n> <file> <limits>   releases held mails a minute after NOW, and is killed in place of the
 *                                      n-th statement of that
 *   redeem <file> <attempt>     redeems, prints the result, and is killed without closing anything
 *   race <file> <attempt>       redeems many times and takes many slots; prints what it got
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { auditKeyOf } from "../../src/admin/audit-key.ts";
import { createVerificationWorker } from "../../src/admin/verification-worker.ts";
import { systemClock } from "../../src/clock.ts";
import { asGrantId, asSecretHash } from "../../src/domain/ids.ts";
import { openStore } from "../../src/storage/open.ts";
import { MINUTE, NOW } from "../support/records.ts";
import { aNotice, type redemption } from "./back-end.ts";
import { ENCRYPTION_KEY } from "./sqlite-support.ts";

const [mode, ...rest] = process.argv.slice(2);
const killAt = mode?.startsWith("kill") ? Number(rest.shift()) : Number.POSITIVE_INFINITY;
const [file = "", attemptJson = "{}"] = rest;
const attempt = JSON.parse(attemptJson) as ReturnType<typeof redemption>;
const store = await openStore({ sqlite: { file }, encryptionKey: ENCRYPTION_KEY });

if (mode === "race") {
  const results: string[] = [];
  let slots = 0;
  for (let turn = 0; turn < 25; turn += 1) {
    if ((await store.throttles.takeSlot("shared", 40, 60, NOW)).taken) slots += 1;
    results.push((await store.links.redeem(attempt, aNotice(), NOW)).result);
  }
  process.stdout.write(
    JSON.stringify({ slots, bound: results.filter((result) => result === "bound").length }),
  );
} else if (mode === "kill-consume") {
  const { idHash, ends } = JSON.parse(attemptJson) as { idHash: string; ends: string[] };
  killBeforeStatement(killAt);
  const isWon = await store.artifacts.consume("AuthorizationCode", asSecretHash(idHash), NOW, {
    ends: ends.map(asGrantId),
  });
  process.stdout.write(String(isWon), () => process.kill(process.pid, "SIGKILL"));
} else if (mode === "kill-release") {
  const limits = JSON.parse(attemptJson) as Parameters<typeof store.outbox.releaseDeferred>[0];
  killBeforeStatement(killAt);
  const released = await store.outbox.releaseDeferred(limits, NOW + MINUTE);
  process.stdout.write(String(released), () => process.kill(process.pid, "SIGKILL"));
} else if (mode === "kill-verify") {
  const key = await auditKeyOf(store.keys);
  killBeforeStatement(killAt);
  const { audit, verifications } = store;
  const logger = { error: (fields: object) => void process.stderr.write(JSON.stringify(fields)) };
  const worker = createVerificationWorker({
    audit,
    verifications,
    key,
    clock: systemClock,
    logger,
    noteEveryMs: 0,
  });
  const ended = await worker.runOnce();
  process.stdout.write(String(ended), () => process.kill(process.pid, "SIGKILL"));
} else {
  killBeforeStatement(killAt);
  const { result } = await store.links.redeem(attempt, aNotice(), NOW);
  process.stdout.write(result, () => process.kill(process.pid, "SIGKILL"));
}

/** Counts every statement that this process runs from now on, and dies in place of the n-th. */
function killBeforeStatement(n: number): void {
  let count = 0;
  const statement: StatementSync = Object.getPrototypeOf(new DatabaseSync(":memory:").prepare("SELECT 1"));
  for (const method of ["run", "all", "get"] as const) {
    const original = statement[method] as (...parameters: unknown[]) => unknown;
    const counted = function (this: StatementSync, ...parameters: unknown[]) {
      count += 1;
      if (count === n) process.kill(process.pid, "SIGKILL");
      return original.apply(this, parameters);
    };
    Object.defineProperty(statement, method, { value: counted });
  }
}
