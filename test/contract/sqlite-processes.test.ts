/** What several processes on one file get, and what a killed one leaves behind. */

import assert from "node:assert/strict";
import { type ExecFileException, execFile } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createVerificationWorker } from "../../src/admin/verification-worker.ts";
import { withDeadline } from "../../src/deadline.ts";
import { verificationMac } from "../../src/domain/audit-chain.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { NewLink } from "../../src/storage/contract.ts";
import { append, appendWaiting, deployment } from "../support/admin-audit.ts";
import { aClient, aMail, anId, anInquiry, aSelection, hashOf, MINUTE, NOW } from "../support/records.ts";
import { registerClient } from "../support/stored-clients.ts";
import {
  aNotice,
  bound,
  present,
  profileOf,
  redemption,
  register,
  request,
  type SignedIn,
  signIn,
  stateOf,
} from "./back-end.ts";
import { temporaryFile } from "./sqlite-support.ts";

const CHILD = fileURLToPath(new URL("sqlite-child.ts", import.meta.url));

/** Runs sqlite-child.ts to its end. */
function child(...args: string[]): Promise<{ output: string; signal: string | null }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [CHILD, ...args], (error: ExecFileException | null, output, errors) => {
      if (error !== null && error.signal !== "SIGKILL") reject(new Error(errors, { cause: error }));
      else resolve({ output, signal: error?.signal ?? null });
    });
  });
}

/** A file with one waiting request; the store that wrote it stays open, as another broker process would. */
async function waiting() {
  const file = temporaryFile();
  const store = await file.open();
  const { profile } = await register(store);
  const person = await signIn(store);
  const link = await request(store, person, profile.id);
  return { file, store, profile, person, link, attempt: attemptOf(person, link) };
}

function attemptOf(person: SignedIn, link: NewLink): string {
  return JSON.stringify(redemption(person, link));
}

test("one killed before any statement of a release leaves what is held, or one mail with it", async () => {
  const none = { limit: 0, windowSeconds: 86_400 };
  const limits = { mailbox: { hourly: none, daily: none }, profile: { limit: 9, windowSeconds: 3600 } };
  let completed = false;
  let killed = 0;
  for (let n = 1; !completed; n += 1) {
    const file = temporaryFile();
    const store = await file.open();
    const inquiry = anInquiry();
    await store.links.inquire(inquiry);
    await store.links.claimInquiry("w", NOW, 1000);
    const deferred = ["p", "q", "r"].map((key) => ({
      ...aMail(),
      throttle: { mailbox: { ...limits.mailbox, key: "ada" }, profile: { ...limits.profile, key } },
    }));
    await store.links.settleInquiry(inquiry.id, "w", { links: [], mails: deferred }, NOW);
    const { output } = await child("kill-release", String(n), file.file, JSON.stringify(limits));
    completed = output !== "";
    if (!completed) killed += 1;
    const states = await Promise.all(deferred.map(async ({ id }) => (await store.outbox.find(id))?.state));
    assert.equal(new Set(states).size, 1, `${n}: ${states.join()}`);
    const released = await store.outbox.releaseDeferred(limits, NOW + MINUTE);
    assert.equal(released, states[0] === "held" ? 1 : 0, "what was killed took no room");
    const { message } = present(await store.outbox.claim("w", NOW + MINUTE, 1000, MINUTE));
    assert.equal(message.content.kind === "collected" && message.content.answers.length, 3);
    assert.equal(await store.outbox.claim("w", NOW + MINUTE, 1000, MINUTE), undefined);
    await file.destroy();
  }
  assert.ok(killed > 10, String(killed));
});

test("D2: one killed before any statement of a redemption leaves consume and bind, or neither", async () => {
  let completed = false;
  let killed = 0;
  for (let n = 1; !completed; n += 1) {
    const { file, store, profile, person, link, attempt } = await waiting();
    const { output } = await child("kill", String(n), file.file, attempt);
    completed = output === "bound";
    if (!completed) killed += 1;
    const isBound = (await profileOf(store, profile.id)).accountId === person.account.id;
    assert.equal(isBound, completed, `killed before statement ${n}`);
    assert.equal(await stateOf(store, link), completed ? "bound" : "pending", `killed before statement ${n}`);
    const events = await store.audit.list({ profileId: profile.id, limit: 99 });
    assert.equal(events.filter((event) => event.action === "profile.bound").length, completed ? 1 : 0);
    // Whatever the dead process held, the next one can go on.
    const again = await store.links.redeem(redemption(person, link), aNotice(), NOW);
    assert.equal(again.result, completed ? "refused" : "bound");
    await file.destroy();
  }
  assert.ok(killed >= 8, `a redemption of only ${killed} statements can't be the whole of it`);
});

test(
  "D2: a process killed before any statement of a switch's redemption leaves the code and the old grant, " +
    "or neither",
  async () => {
    let completed = false;
    let killed = 0;
    for (let n = 1; !completed; n += 1) {
      const file = temporaryFile();
      const store = await file.open();
      const { profile, account } = await bound(store);
      const [idHash, token] = [hashOf(anId("code")), hashOf(anId("token"))];
      const { grantId } = present(
        await store.accountsAtClients.select(
          aSelection({ accountId: account.id, profileId: profile.id }),
          NOW,
        ),
      );
      await store.artifacts.upsert("AuthorizationCode", idHash, {}, {}, NOW + 9999);
      await store.artifacts.upsert("RefreshToken", token, {}, { grantId }, NOW + 9999);
      const code = JSON.stringify({ idHash, ends: [grantId] });
      const { output } = await child("kill-consume", String(n), file.file, code);
      completed = output === "true";
      if (!completed) killed += 1;
      const consumed =
        (await store.artifacts.find("AuthorizationCode", idHash, NOW))?.["consumed"] !== undefined;
      const goesOn = (await store.accountsAtClients.forGrant(grantId, NOW)) !== undefined;
      const isThere = (await store.artifacts.find("RefreshToken", token, NOW)) !== undefined;
      assert.deepEqual(
        [consumed, goesOn, isThere],
        [completed, !completed, !completed],
        `killed before statement ${n}`,
      );
      // Whatever the dead process held, the next one can go on.
      assert.equal(
        await store.artifacts.consume("AuthorizationCode", idHash, NOW, { ends: [grantId] }),
        !completed,
      );
      await file.destroy();
    }
    assert.ok(killed >= 6, `a redemption of only ${killed} statements can't be the whole of it`);
  },
);

test("D2: what a process was told is stored survives its being killed at once", async () => {
  const { file, profile, person, link, store, attempt } = await waiting();
  await store.close();
  assert.deepEqual(await child("redeem", file.file, attempt), { output: "bound", signal: "SIGKILL" });
  const reopened = await file.open();
  assert.equal((await profileOf(reopened, profile.id)).accountId, person.account.id);
  assert.equal(await stateOf(reopened, link), "bound");
  await file.destroy();
});

test("D1, Z1: of four processes redeeming one link one binds, and their slots keep the limit", async () => {
  const { file, store, profile, attempt } = await waiting();
  const outputs = await Promise.all([1, 2, 3, 4].map(() => child("race", file.file, attempt)));
  const got = outputs.map(({ output }) => JSON.parse(output) as { slots: number; bound: number });
  assert.equal(
    got.reduce((sum, { bound }) => sum + bound, 0),
    1,
  );
  assert.equal(
    got.reduce((sum, { slots }) => sum + slots, 0),
    40,
  );
  const events = await store.audit.list({ profileId: profile.id, limit: 999 });
  assert.equal(events.filter((event) => event.action === "profile.bound").length, 1);
  await file.destroy();
});

test("processes that open an empty file together all get it", async () => {
  const { person, link, file: source } = await waiting();
  for (let turn = 0; turn < 2; turn += 1) {
    const file = temporaryFile();
    const outputs = await Promise.all(
      [1, 2, 3, 4].map(() => child("race", file.file, attemptOf(person, link))),
    );
    for (const { output } of outputs) assert.equal((JSON.parse(output) as { bound: number }).bound, 0);
    await file.destroy();
  }
  await source.destroy();
});

test("D3: a file that another program keeps locked is unavailable, and nothing is half-done", async () => {
  const { file, store, profile, person, link } = await waiting();
  const intruder = new DatabaseSync(file.file);
  intruder.exec("BEGIN IMMEDIATE");
  const isUnavailable = (error: unknown) =>
    error instanceof LiaisonError && error.code === "store_unavailable";
  await assert.rejects(
    withDeadline(300, () => store.links.redeem(redemption(person, link), aNotice(), NOW)),
    isUnavailable,
  );
  assert.equal((await profileOf(store, profile.id)).accountId, null);
  intruder.exec("ROLLBACK");
  intruder.close();
  const client = aClient();
  await registerClient(store, client);
  assert.equal((await store.links.redeem(redemption(person, link), aNotice(), NOW)).result, "bound");
  await file.destroy();
});

test("one killed before any statement of a verification leaves it to another, which ends it", async () => {
  const made = await deployment();
  await append(made, 240);
  await appendWaiting(made);
  const { store, key, clock } = made;
  const logger = { error: () => assert.fail("it failed") };
  const rescue = createVerificationWorker({
    audit: store.audit,
    verifications: store.verifications,
    key,
    clock,
    logger,
  });
  let [killed, resumed] = [0, 0];
  for (let [n, isOver] = [1, false]; !isOver; n += 1) {
    const asked = { id: anId("verification"), keptHead: null };
    const written = { ...asked, seal: verificationMac(key, { ...asked, progress: null, result: null }) };
    // By the clock of the other process, which is the real one.
    present(await store.verifications.ask(written, { actor: "admin:7", now: Date.now() }));
    const { output } = await child("kill-verify", String(n), made.file.file);
    isOver = output === "1";
    const left = present(await store.verifications.find(asked.id));
    if (left.progress !== null && left.state === "running") resumed += 1;
    if (!isOver) killed += 1;
    // Its lease is over by then.
    clock.advance(31);
    assert.equal(await rescue.runOnce(), left.state === "finished" ? 0 : 1, `killed before statement ${n}`);
    const { state, result } = present(await store.verifications.find(asked.id));
    assert.deepEqual(
      [state, result?.intact, result?.verified],
      ["finished", true, 240],
      `before statement ${n}`,
    );
  }
  assert.ok(killed >= 10 && resumed >= 2, `killed ${killed} times, gone on with ${resumed} times`);
  await made.file.destroy();
});
