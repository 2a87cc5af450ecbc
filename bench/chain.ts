/**
 * What sealing the audit's chain costs the loop that it runs on, however many events wait: COUNT events,
 * sealed to the end.
 *   node bench/chain.ts [COUNT]        100,000 unless given
 * Prints the time of a turn over the first, the middle and the last events, and the longest that the event
 * loop stood still.
 */

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { createAuditChainWorker } from "../src/admin/audit-chain-worker.ts";
import { systemClock } from "../src/clock.ts";
import { openStore } from "../src/storage/open.ts";
import { quantile } from "./deployment.ts";

const count = Number(process.argv[2] ?? 100_000);
const folder = await mkdtemp(join(tmpdir(), "liaison-bench-chain-"));
try {
  await measure(join(folder, "liaison.db"));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(file: string): Promise<void> {
  const store = await openStore({ sqlite: { file }, encryptionKey: randomBytes(32).toString("base64") });
  fill(file);
  const turns: { events: number; ms: number }[] = [];
  const { audit, administration } = store;
  let begun = 0;
  const sealer = createAuditChainWorker({
    audit: {
      ...audit,
      unsealed: (limit) => {
        begun = performance.now();
        return audit.unsealed(limit);
      },
      seal: async (events, ends) => {
        const isSealed = await audit.seal(events, ends);
        turns.push({ events: events.length, ms: performance.now() - begun });
        return isSealed;
      },
    },
    administration,
    clock: systemClock,
    key: randomBytes(32),
    retentionMs: null,
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  const sealed = await sealer.runOnce();
  const seconds = (performance.now() - started) / 1000;
  delay.disable();
  await store.close();
  console.log(`${sealed} events in ${seconds.toFixed(1)} s, ${turns.length} turns`);
  const tenth = Math.ceil(turns.length / 10);
  for (const [title, part] of [
    ["first tenth", turns.slice(0, tenth)],
    ["last tenth", turns.slice(-tenth)],
    ["all", turns],
  ] as const) {
    const took = part.map(({ ms }) => ms);
    const each = took.reduce((sum, ms) => sum + ms, 0) / part.reduce((sum, { events }) => sum + events, 0);
    console.log(
      `  ${title.padEnd(12)} turn p50 ${quantile(took, 0.5).toFixed(1)} ms, p99 ` +
        `${quantile(took, 0.99).toFixed(1)} ms, ` +
        `longest ${Math.max(...took).toFixed(1)} ms; ${(each * 1000).toFixed(0)} µs an event`,
    );
  }
  console.log(`  the event loop stood still for ${(delay.max / 1e6).toFixed(1)} ms at the longest`);
  if (sealed !== count) process.exitCode = 1;
}

/** Writes the events as an import would have. */
function fill(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${Math.trunc(count)})
    INSERT INTO audit_events (id, at, action, actor, profile_id, organization_id, detail)
    SELECT lower(hex(randomblob(16))), 1700000000000 + i, 'profile.changed', 'command:import', 'profile-' ||
      i,
      'org-' || (i / 10), '{"created":true}' FROM n`);
  database.close();
}
