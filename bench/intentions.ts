/**
 * What the intentions of the store that take several steps cost on this checkout and on another one, such as
 * the version before, in alternated rounds, on the embedded back end:
 *
 *   npx node bench/intentions.ts OTHER [ROUNDS]        six rounds unless given
 *
 * OTHER is a checkout with its packages installed; each side has a process and a file of its own, other ones
 * each round, and within a round the two take short turns, because the machine may be slower for some
 * seconds. Prints medians, and as the ratio the other's divided by this one's: of each round, then their
 * median. Ends with 1 if one is below 0.95. The files are in the folder for temporary files: with TMPDIR in
 * memory what a disk's flush takes is left out. Takes about three minutes, speaks to nobody.
 */

import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { on, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Milliseconds } from "../src/clock.ts";
import {
  asClientId,
  asGrantId,
  asInquiryId,
  asLinkRequestId,
  asOrganizationId,
  asProfileId,
  asSecretHash,
  asUpstreamId,
} from "../src/domain/ids.ts";
import type { NewMail, Organization, ProfileEdit } from "../src/domain/records.ts";
import { revisionOf } from "../src/domain/revision.ts";
import type { AdminChange, Store } from "../src/storage/contract.ts";
import type * as Opening from "../src/storage/open.ts";

const flows = [
  "create an organization",
  "edit an organization",
  "create a profile",
  "edit a profile",
  "give or take a role",
  "import 100 rows",
  "import 100 changes",
  "queue a mail",
  "claim a mail",
  "mark it sent",
  "inquire",
  "claim an inquiry",
  "settle it",
  "redeem",
  "unbind",
] as const;
type Flow = (typeof flows)[number];
type Note = (flow: Flow, ms: number) => void;

/** How often a side goes through all flows before anything counts, and how often when it is its turn. */
const warmingTurns = 150;
const turnsAtOnce = 8;
const changes = 8;
/** How many mails, and how many of the other flows, to an import. */
const timesATurn = 3;
const leastRatio = 0.95;
const LEASE_MS: Milliseconds = 60_000;

/** A side's process: goes through the flows when it is told to, and says how long each took. */
async function serve(checkout: string, place: string): Promise<void> {
  const opening = pathToFileURL(resolve(checkout, "src/storage/open.ts")).href;
  const { openStore } = (await import(opening)) as typeof Opening;
  const encryptionKey = Buffer.alloc(32, 7).toString("base64");
  const store = await openStore({ sqlite: { file: join(place, "liaison.db") }, encryptionKey });
  const { operator, profile } = await administrators(store);
  const orders = on(process, "message") as AsyncIterable<[number]>;
  process.send?.([]);
  for await (const [turns] of orders) {
    if (turns === 0) break;
    const took: [Flow, number][] = [];
    const note: Note = (flow, ms) => took.push([flow, ms]);
    for (let index = 0; index < turns; index += 1) {
      await importing(store, note);
      for (let time = 0; time < timesATurn; time += 1) {
        await changing(store, note, { operator, profile });
        await mailing(store, note);
        await linking(store, note);
      }
    }
    process.send?.(took);
  }
  await store.close();
  process.disconnect();
}

async function timed<T>(note: Note, flow: Flow, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  note(flow, performance.now() - begun);
  return result;
}

const by = () => ({ actor: "bench", now: Date.now() });

function organization(kind: Organization["kind"] = "customer"): Organization {
  const id = randomUUID();
  const plan = { status: "active", expiresAt: null } as const;
  return { id: asOrganizationId(id), name: `Org ${id}`, accountNumber: id, enabled: true, kind, plan };
}

function profileIn({ id: organizationId }: Organization): ProfileEdit {
  const id = randomUUID();
  const email = `${id}@registered.example`;
  const said = { organizationId, email, emailKey: email, name: `Person ${id}`, roles: ["user"] };
  return { id: asProfileId(id), enabled: true, ...said };
}

async function apply(store: Store, change: AdminChange): Promise<void> {
  const { result } = await store.administration.apply(change, by());
  if (result !== "done") throw new Error(`${change.kind}: ${result}`);
}

/** An owner, so that others' roles may be taken, and somebody whose role is given and taken. */
async function administrators(store: Store): Promise<{ operator: Organization; profile: ProfileEdit }> {
  const operator = organization("operator");
  const [owner, profile] = [profileIn(operator), profileIn(operator)];
  await apply(store, { kind: "create_organization", organization: operator });
  for (const one of [owner, profile]) await apply(store, { kind: "create_profile", profile: one });
  await apply(store, { kind: "set_admin_role", profileId: owner.id, adminRole: "owner" });
  return { operator, profile };
}

async function changing(
  store: Store,
  note: Note,
  { operator, profile: administrator }: { operator: Organization; profile: ProfileEdit },
): Promise<void> {
  const made = organization();
  const profile = profileIn(operator);
  await timed(note, "create an organization", () =>
    apply(store, { kind: "create_organization", organization: made }),
  );
  const edited = { ...made, name: `${made.name} Ltd` };
  await timed(note, "edit an organization", () =>
    apply(store, { kind: "edit_organization", organization: edited, revision: revisionOf(made) }),
  );
  await timed(note, "create a profile", () => apply(store, { kind: "create_profile", profile }));
  const found = await store.directory.membership(profile.id);
  if (found === undefined) throw new Error("the profile isn't there");
  const change: AdminChange = {
    kind: "edit_profile",
    profile: { ...profile, name: `${profile.name} Jr` },
    revision: revisionOf(found.profile),
    isAnotherPerson: false,
    mailDomain: "bench.example",
  };
  await timed(note, "edit a profile", () => apply(store, change));
  for (const adminRole of ["support", null] as const) {
    await timed(note, "give or take a role", () =>
      apply(store, { kind: "set_admin_role", profileId: administrator.id, adminRole }),
    );
  }
}

async function importing(store: Store, note: Note): Promise<void> {
  const of = organization();
  const rows = Array.from({ length: 100 }, () => ({ organization: of, profile: profileIn(of) }));
  const changed = rows.map(({ profile }) => {
    return { organization: of, profile: { ...profile, roles: ["user", "buyer"] } };
  });
  await timed(note, "import 100 rows", () => store.directory.importBatch(rows, "bench", Date.now()));
  await timed(note, "import 100 changes", () => store.directory.importBatch(changed, "bench", Date.now()));
}

const upstreamId = asUpstreamId("fabrikam");

function mail(content: NewMail["content"]): NewMail {
  const id = randomUUID();
  return { id, messageId: `${id}@bench.example`, to: "ann@registered.example", content };
}

async function mailing(store: Store, note: Note): Promise<void> {
  const queued = mail({
    kind: "support_request",
    reference: "R-1",
    portalName: "Portal",
    name: "Ann",
    organization: "Northwind",
    accountNumber: "N-1",
    message: "Which address is it?",
    requester: { upstreamId, email: null, displayName: null },
  });
  const key = `support:${randomUUID()}`;
  const slots = [{ key, limit: 5, windowSeconds: 3600 }];
  await timed(note, "queue a mail", () => store.outbox.enqueue(queued, slots, Date.now()));
  await deliver(store, note);
}

async function deliver(store: Store, note: Note): Promise<void> {
  const worker = "bench";
  const claimed = await timed(note, "claim a mail", () =>
    store.outbox.claim(worker, Date.now(), LEASE_MS, LEASE_MS),
  );
  if (claimed === undefined) throw new Error("no mail is due");
  const { id } = claimed.message;
  await timed(note, "mark it sent", () => store.outbox.markSent(id, worker, "250 OK", Date.now()));
}

/** From an inquiry to a binding, and the end of that. */
async function linking(store: Store, note: Note): Promise<void> {
  const worker = "bench";
  const made = organization();
  const profile = profileIn(made);
  await apply(store, { kind: "create_organization", organization: made });
  await apply(store, { kind: "create_profile", profile });
  const subject = randomUUID();
  const identity = {
    issuer: "https://fabrikam.example",
    subject,
    upstreamId,
    email: null,
    displayName: null,
    emailVerified: false,
  };
  const now = Date.now();
  const { id: accountId } = await store.accounts.signIn(identity, now);
  const inquiryId = asInquiryId(randomUUID());
  const requester = { ...identity, accountId };
  const times = { createdAt: now, notBefore: now, settledAt: null };
  const inquiry = { id: inquiryId, requester, address: profile.email, interactionCid: subject, ...times };
  const throttles = {
    pauseSeconds: 1,
    identity: { limit: 5, windowSeconds: 3600 },
    client: { key: subject, limit: 30, windowSeconds: 3600, longestMs: () => 0 },
  };
  await timed(note, "inquire", () => store.links.inquire(inquiry, throttles));
  const claimed = await timed(note, "claim an inquiry", () =>
    store.links.claimInquiry(worker, Date.now(), LEASE_MS),
  );
  if (claimed?.id !== inquiryId) throw new Error("the inquiry isn't due");
  const requestId = asLinkRequestId(randomUUID());
  const secretHash = asSecretHash(randomUUID());
  const request = {
    id: requestId,
    inquiryId,
    secretHash,
    purpose: "link_profile" as const,
    requester,
    profileId: profile.id,
    emailVersion: 1,
    createdAt: now,
    expiresAt: now + LEASE_MS,
  };
  const named = { profileName: profile.name, organizationName: made.name, requester: identity };
  const linkMail = mail({ kind: "link", inquiryId, requestId, secret: subject, ...named });
  const hour = { limit: 3, windowSeconds: 3600 };
  const day = { limit: 30, windowSeconds: 86_400 };
  const throttle = {
    mailbox: { key: profile.emailKey, hourly: hour, daily: day },
    profile: { key: profile.id, ...hour },
  };
  const answer = { links: [{ request, mail: { ...linkMail, throttle } }], mails: [] };
  await timed(note, "settle it", () => store.links.settleInquiry(inquiryId, worker, answer, Date.now()));
  await deliver(store, note);
  const attempt = { requestId, secretHash, identity, accountId };
  const notice = { id: randomUUID(), messageId: `${requestId}@bench.example` };
  const redeemed = await timed(note, "redeem", () => store.links.redeem(attempt, notice, Date.now()));
  if (redeemed.result !== "bound") throw new Error(`redeem: ${redeemed.result}`);
  await deliver(store, note);
  // As many grants as somebody has who is signed in at two portals.
  for (const clientId of ["one", "two"].map(asClientId)) {
    const of = { grantId: asGrantId(randomUUID()), sessionUid: subject, clientId, accountId };
    const selection = { ...of, profileId: profile.id, expiresAt: Date.now() + LEASE_MS };
    await store.accountsAtClients.select(selection, Date.now());
  }
  await timed(note, "unbind", () => store.links.unbind(profile.id, "bench", Date.now(), accountId));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, another) => one - another);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle - 1)] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

type Name = "this" | "other";
type Took = Record<Name, Map<Flow, number[]>>;

/** A side's process, as it is asked. */
class Side {
  readonly name: Name;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(name: Name, checkout: string, place: string) {
    this.name = name;
    this.#child = fork(fileURLToPath(import.meta.url), [checkout, "0", place]);
    this.#exited = once(this.#child, "exit");
  }

  async answer(): Promise<[Flow, number][]> {
    const dead = this.#exited.then(() => Promise.reject(new Error("a side has died")));
    const [took] = (await Promise.race([once(this.#child, "message"), dead])) as [[Flow, number][]];
    return took;
  }

  async turns(count: number): Promise<[Flow, number][]> {
    this.#child.send(count);
    return await this.answer();
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.send(0);
    await this.#exited;
  }
}

/** Has both take turns, each in a new process on a new file; returns how long each flow took on each side. */
async function round(checkouts: readonly (readonly [Name, string])[]): Promise<Took> {
  const found: Took = { this: new Map(), other: new Map() };
  const made = await mkdtemp(join(tmpdir(), "liaison-bench-"));
  const sides: Side[] = [];
  try {
    for (const [name, checkout] of checkouts)
      sides.push(new Side(name, checkout, await mkdtemp(join(made, name))));
    for (const side of sides) await side.answer();
    for (const side of sides) await side.turns(warmingTurns);
    for (let change = 0; change < changes; change += 1) {
      for (const side of sides) {
        for (const [flow, ms] of await side.turns(turnsAtOnce)) {
          const all = found[side.name].get(flow) ?? [];
          all.push(ms);
          found[side.name].set(flow, all);
        }
      }
    }
  } finally {
    for (const side of sides) await side.close();
    await rm(made, { recursive: true, force: true });
  }
  return found;
}

async function compare(other: string, rounds: number): Promise<void> {
  const here = fileURLToPath(new URL("..", import.meta.url));
  const sides = [
    ["this", here],
    ["other", other],
  ] as const;
  const ratios = new Map<Flow, number[]>();
  for (let index = 0; index < rounds; index += 1) {
    const found = await round(index % 2 === 0 ? sides : sides.toReversed());
    for (const flow of flows) {
      const [ours, theirs] = [median(found.this.get(flow) ?? []), median(found.other.get(flow) ?? [])];
      ratios.set(flow, [...(ratios.get(flow) ?? []), theirs / ours]);
      const figures = `this ${ours.toFixed(3)} ms, other ${theirs.toFixed(3)} ms`;
      console.log(`round ${index + 1}  ${flow.padEnd(22)} ${figures}`);
    }
  }
  for (const [flow, all] of ratios) {
    const ratio = median(all);
    if (ratio < leastRatio) process.exitCode = 1;
    const verdict = ratio >= leastRatio ? "kept    " : "NOT KEPT";
    const each = all.map((one) => one.toFixed(2)).join(", ");
    console.log(`${verdict}  ${flow.padEnd(22)} ×${ratio.toFixed(3)}  (${each})`);
  }
}

const [first, second = "6", folder] = process.argv.slice(2);
if (first === undefined) {
  console.error("Name the other checkout: npx node bench/intentions.ts ../liaison-before");
  process.exit(2);
} else if (folder === undefined) await compare(first, Number(second));
else await serve(first, folder);
