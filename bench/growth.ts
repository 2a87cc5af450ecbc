/**
 * By how much strangers at one address make the database grow, and that it shrinks again when they are gone.
 *
 *   npx node bench/growth.ts [HOURS]                     of an hour, unless given; less shows more than its
 *                                                        share
 *   MONGO_URL=mongodb://… npx node bench/growth.ts       the same on a replica set, in a database that goes
 *                                                        afterwards
 *
 * Twelve times an hour, as long as the limits last, everything is asked for as often as it is let through,
 * each request as large as counts as one: authorization requests, of which nine in ten are followed to their
 * page, sign-ins begun at an upstream, sign-outs, made-up callbacks, a mailed link opened, messages to
 * support. The limits are those of a deployment that sets none, but for the pace of all requests, which would
 * let through twenty times as many in an hour as these are. The clock is moved on from one window to the
 * next, and the background sweeps as it goes; so an hour takes some minutes.
 *
 * Goals: 100 MB an hour; once a grace has passed, rows and pages in use are where they were, but for the
 * sign-ins of the few who have an account and wrote to support, and those when they are over. Ends with 1
 * otherwise. Speaks to loopback alone.
 */

import { asOrganizationId } from "../src/domain/ids.ts";
import { askForLink, startAttacked } from "../test/support/attack-fixture.ts";
import { register, signIn } from "../test/support/liaison.ts";
import { grownRows, type StoredSize, storedSizeOf } from "../test/support/stored-size.ts";
import { asLongAsLet, type StrangersFlood, strangersFlood } from "../test/support/strangers-flood.ts";
import { SweepWatch } from "../test/support/sweep-watch.ts";

const [windowSeconds, graceSeconds, interactionSeconds] = [300, 3600, 5400];
const windows = Math.ceil((Number(process.argv[2] ?? 1) * 3600) / windowSeconds);
const hours = (windows * windowSeconds) / 3600;
/** People with accounts who write to support, and in how many steps of a sign-in each is. */
const [writers, stepsOfAWriter] = [5, 2];
/** What is over is gone so much later: the slack of the sweep. */
const slackSeconds = 121;
const goals = { megabytesAnHour: 100, leftMegabytes: 0.5 };
/**
 * Kept for good, or for as long as a day, whoever caused it: mails that were sent, the audit, counts,
 * accounts.
 */
const kept =
  /^(outbox|audit|counters|accounts|identities|search|organizations|profiles|inquiries|link|leases|sqlite_)/i;

const failed: string[] = [];
const check = (isMet: boolean, what: string) => {
  if (!isMet) failed.push(what);
};
const sweeps = new SweepWatch();
const url = process.env["MONGO_URL"];
const plenty = { limit: 1_000_000, window_seconds: 1 };
const liaison = await startAttacked({
  decorate: sweeps.decorate,
  ...(url === undefined ? {} : { replicaSet: { url } }),
  config: (base) => ({ ...base, limits: { requests_per_client_address: plenty } }),
});
try {
  await run();
} finally {
  await liaison.close();
}
for (const what of failed) console.log(`NOT MET: ${what}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function run(): Promise<void> {
  await register(liaison, { id: asOrganizationId("northwind") }, [
    { id: "growth", email: "growth@northwind.example" },
  ]);
  const { link } = await askForLink(liaison, liaison.stranger(), "growth@northwind.example");
  const flood = await strangersFlood(liaison, { link });
  await sweeps.later(liaison, windowSeconds + 1);
  const before = await storedSizeOf(liaison);
  const served: Record<string, number> = { support: await messages() };
  let most = 0;
  for (let turn = 0; turn < windows; turn += 1) {
    for (const [sort, count] of Object.entries(await floodOnce(flood)))
      served[sort] = (served[sort] ?? 0) + count;
    const grown = megabytes(before, await storedSizeOf(liaison));
    most = Math.max(most, grown);
    console.log(`after ${(turn + 1) * 5} minutes: ${grown.toFixed(1)} MB more are in use`);
    await sweeps.later(liaison, windowSeconds + 1);
  }
  console.log(`let through: ${JSON.stringify(served)}`);
  console.log(`${(most / hours).toFixed(0)} MB an hour`);
  check(most / hours <= goals.megabytesAnHour, "growth");

  await sweeps.later(liaison, graceSeconds + slackSeconds);
  const aGraceLater = await storedSizeOf(liaison);
  report("a grace later", before, aGraceLater);
  const {
    artifacts = 0,
    sessions: _goOn,
    session_clients: _either,
    ...others
  } = strangersRows(before, aGraceLater);
  check(artifacts <= writers * stepsOfAWriter && Object.keys(others).length === 0, "rows a grace later");
  // MongoDB's index files keep the size that they had once.
  check(
    url !== undefined || megabytes(before, aGraceLater) <= goals.leftMegabytes,
    "pages in use a grace later",
  );
  await sweeps.later(liaison, interactionSeconds);
  const after = await storedSizeOf(liaison);
  report("when the sign-ins of those who wrote to support are over, too", before, after);
  check(Object.keys(strangersRows(before, after)).length === 0, "rows");
  check(url !== undefined || megabytes(before, after) <= goals.leftMegabytes, "pages in use");
}

async function floodOnce(flood: StrangersFlood): Promise<Record<string, number>> {
  // The link lives for half an hour.
  const openLink = await asLongAsLet(flood.openLink, { most: 31, parallel: 1 }).catch(() => 0);
  const begin = await asLongAsLet(flood.begin, { most: 1100, parallel: 1, refusals: 40 });
  const open = await asLongAsLet(flood.open, { most: 850 });
  const authorize = await asLongAsLet(flood.authorize, { most: 1100 });
  const signOut = await asLongAsLet(flood.signOut, { most: 400 });
  const callback = await asLongAsLet(flood.callback, { most: 300 });
  return { begin, openLink, open, authorize, signOut, callback };
}

/** People with accounts write to support, as long as it is taken. Returns how many messages were. */
async function messages(): Promise<number> {
  const fields = { name: "n".repeat(200), organization: "o".repeat(200), message: "m".repeat(2000) };
  let taken = 0;
  for (let turn = 0; turn < writers; turn += 1) {
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    const { pathname } = linkStep.url;
    const form = await browser.visit(
      new URL(`${pathname.split("/").slice(0, 3).join("/")}/support`, liaison.issuer),
    );
    for (let message = 0; message < 6; message += 1) {
      if ((await browser.press(form, "Send", fields)).status === 200) taken += 1;
    }
  }
  return taken;
}

function strangersRows(before: StoredSize, after: StoredSize): Record<string, number> {
  const grown = Object.entries(grownRows(before, after));
  return Object.fromEntries(grown.filter(([name, count]) => !kept.test(name) && count > 0));
}

function megabytes(before: StoredSize, after: StoredSize): number {
  return (after.bytes - before.bytes) / 1e6;
}

function report(when: string, before: StoredSize, after: StoredSize): void {
  const rows = JSON.stringify(strangersRows(before, after));
  console.log(`${when}: ${megabytes(before, after).toFixed(1)} MB more are in use, rows ${rows}`);
}
