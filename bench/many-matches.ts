/**
 * How long the event loop stands still while an inquiry is answered whose address matches a thousand
 * profiles: all of them in one transaction, as it was, and in parts.
 *
 *   npx node bench/many-matches.ts [PROFILES]
 */

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { asOrganizationId } from "../src/domain/ids.ts";
import { createInquiryWorker } from "../src/linking/inquiry-worker.ts";
import { openStore } from "../src/storage/open.ts";
import { register } from "../test/support/liaison.ts";
import { anInquiry, PLENTY, PLENTY_FOR_A_MAILBOX } from "../test/support/records.ts";

const profiles = Number(process.argv[2] ?? 1000);
const email = "everybody@northwind.example";
const folder = await mkdtemp(join(tmpdir(), "liaison-bench-"));
const store = await openStore({
  sqlite: { file: join(folder, "liaison.db") },
  encryptionKey: randomBytes(32).toString("base64"),
});
try {
  const all = Array.from({ length: profiles }, (_, index) => ({ id: `p-${index}`, email }));
  await register({ store, clock: systemClock }, { id: asOrganizationId("northwind") }, all);
  for (const partSize of [profiles, 100, 50, 20, 10]) {
    const now = Date.now();
    await store.links.inquire(anInquiry({ address: email, createdAt: now, notBefore: now }));
    const settings = {
      mailDomain: "bench.example",
      mailLimits: { mailbox: PLENTY_FOR_A_MAILBOX, profile: PLENTY },
      partSize,
    };
    const { links, directory } = store;
    const worker = createInquiryWorker({
      links,
      directory,
      clock: systemClock,
      logger: { warn: () => {} },
      settings,
    });
    const begun = performance.now();
    let [last, longest] = [begun, 0];
    const timer = setInterval(() => {
      const present = performance.now();
      longest = Math.max(longest, present - last);
      last = present;
    }, 1);
    if ((await worker.runOnce()) !== 1) throw new Error("nothing was answered");
    longest = Math.max(longest, performance.now() - last);
    clearInterval(timer);
    const took = performance.now() - begun;
    console.log(
      `${String(partSize).padStart(5)} a transaction: longest turn ${longest.toFixed(1)} ms, altogether ` +
        `${took.toFixed(0)} ms`,
    );
  }
} finally {
  await store.close();
  await rm(folder, { recursive: true, force: true });
}
