import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asUpstreamId } from "../../src/domain/ids.ts";
import { hashSecret } from "../../src/domain/secrets.ts";
import type { LinkStore } from "../../src/storage/contract.ts";
import {
  ANSWER_DELAY_MS,
  attempt,
  linkIn,
  linksIn,
  settings,
  useLinking,
} from "../support/linking-fixture.ts";

const h = useLinking();

describe("inquiries", () => {
  it(
    "L11 three profiles at one address get three mails, each to its own stored address, each link " +
      "binding its own",
    async () => {
      await h.profile("p1", "contoso", "Anna@Contoso.example");
      await h.profile("p2", "fabrikam", "anna@contoso.example");
      await h.profile("p3", "contoso", "ANNA@contoso.example");
      const mails = await h.ask(h.anna, " aNNa@contoso.EXAMPLE ");
      assert.deepEqual(mails.map(({ to }) => to).sort(), [
        "ANNA@contoso.example",
        "Anna@Contoso.example",
        "anna@contoso.example",
      ]);
      const links = mails.map(linkIn);
      assert.equal(new Set(links.map(({ secret }) => secret)).size, 3);
      assert.equal(new Set(mails.map(({ messageId }) => messageId)).size, 3);
      for (const { messageId } of mails) assert.match(messageId, /^[\w-]{22}@liaison\.example$/);

      const [first, second] = links;
      if (first === undefined || second === undefined) assert.fail("two links");
      const crossed = { ...attempt(first, h.anna), secretHash: hashSecret(second.secret) };
      assert.deepEqual(await h.linking.redeem(crossed), { result: "unknown" });
      const outcome = await h.linking.redeem(attempt(first, h.anna));
      assert.equal(outcome.result, "bound");
      const bound = await Promise.all(["p1", "p2", "p3"].map(h.boundTo));
      assert.equal(bound.filter((accountId) => accountId === h.anna.accountId).length, 1);
      assert.equal(bound.filter((accountId) => accountId === null).length, 2);
    },
  );

  it("an unknown address gets no mail", async () => {
    await h.profile("p1", "contoso", "anna@contoso.example");
    assert.deepEqual(await h.ask(h.anna, "nobody@contoso.example"), []);
  });

  it("the plan plays no part: a lapsed organization's profile can be linked", async () => {
    await h.profile("p1", "contoso", "anna@contoso.example");
    assert.deepEqual(
      (await h.ask(h.anna, "anna@contoso.example")).map(({ content }) => content.kind),
      ["link"],
    );
  });

  for (const typed of [
    "anna@contoso.example,eve@mail.example",
    ["anna@contoso.example"],
    '"anna"@contoso.example',
    "anna(x)@contoso.example",
    "friends:anna@contoso.example;",
    "Anna <anna@contoso.example>",
    "anna@contoso.example\r\nBcc: eve@mail.example",
    "anna＠contoso.example",
    "ａnna@contoso.example",
    { $gt: "" },
    null,
  ]) {
    it(`L13 L14 stores ${JSON.stringify(typed)} without an address and sends no mail`, async () => {
      await h.profile("p1", "contoso", "anna@contoso.example");
      const outcome = await h.linking.inquire({
        requester: h.anna.requester,
        typed,
        interactionCid: "cid-1",
        clientAddress: "192.0.2.1",
      });
      assert.equal(outcome.asked && outcome.inquiry.address, null);
      h.now += ANSWER_DELAY_MS;
      assert.equal(await h.worker.runOnce(), 1);
      assert.deepEqual(await h.drain(), []);
    });
  }

  it("L15 profiles that can't be linked get mails without link, to the stored address", async () => {
    await h.profile("mine", "contoso", "anna@contoso.example");
    await h.profile("hers", "fabrikam", "anna@contoso.example");
    await h.profile("off", "contoso", "anna@contoso.example", false);
    await h.profile("closed", "closed", "anna@contoso.example");
    const links = linksIn(await h.ask(h.anna, "anna@contoso.example"));
    assert.equal(links.length, 2);
    const [mine] = links;
    assert.equal((await h.linking.redeem(attempt(mine ?? assert.fail(), h.anna))).result, "bound");
    await h.drain();
    const [hers] = linksIn(await h.ask(h.eve, "anna@contoso.example"));
    assert.equal((await h.linking.redeem(attempt(hers ?? assert.fail(), h.eve))).result, "bound");
    await h.drain();

    const mails = await h.ask(h.anna, "anna@contoso.example");
    assert.deepEqual(mails.map(({ content }) => content.kind).sort(), [
      "already_linked",
      "linked_elsewhere",
      "not_active",
      "not_active",
    ]);
    for (const mail of mails) {
      assert.equal(mail.to, "anna@contoso.example");
      assert.equal("secret" in mail.content, false);
    }
  });

  it("looks at nothing before the answer has left, and looks once", async () => {
    await h.profile("p1", "contoso", "anna@contoso.example");
    const typed = "anna@contoso.example";
    await h.linking.inquire({
      requester: h.anna.requester,
      typed,
      interactionCid: "cid-1",
      clientAddress: "192.0.2.1",
    });
    h.now += ANSWER_DELAY_MS - 1;
    assert.equal(await h.worker.runOnce(), 0);
    assert.deepEqual(await h.drain(), []);
    h.now += 1;
    const other = h.anotherWorker();
    assert.equal(
      (await Promise.all([h.worker.runOnce(), other.runOnce()])).reduce((sum, count) => sum + count),
      1,
    );
    assert.equal((await h.drain()).length, 1);
    assert.equal(await h.worker.runOnce(), 0);
    assert.deepEqual(await h.drain(), []);
    const latest = await h.linking.latestInquiry("cid-1");
    assert.equal(latest?.address, null);
    assert.notEqual(latest?.settledAt, null);
  });

  it("Z9: each waits its own time, drawn from all of the range, and keeps it", async () => {
    const delays: number[] = [];
    const lookupDelayMs = { min: 2000, max: 6000 };
    const linking = h.linkingWith({ lookupDelayMs });
    for (let turn = 0; turn < 400; turn += 1) {
      const { requester } = h.anna;
      const asked = {
        requester,
        typed: "x@contoso.example",
        interactionCid: `cid-${turn}`,
        clientAddress: "192.0.2.1",
      };
      const outcome = await linking.inquire(asked);
      const stored = await h.store.links.latestInquiry(asked.interactionCid);
      assert.equal(outcome.asked && outcome.inquiry.notBefore, stored?.notBefore);
      delays.push((stored?.notBefore ?? 0) - h.now);
    }
    assert.ok(delays.every((delay) => delay >= lookupDelayMs.min && delay <= lookupDelayMs.max));
    // Of 400 a quarter each; less than 60 would be five standard deviations away.
    for (const from of [2000, 3000, 4000, 5000]) {
      const inQuarter = delays.filter((delay) => delay >= from && delay < from + 1000).length;
      assert.ok(inQuarter > 60, `${inQuarter} from ${from} ms on`);
    }
  });

  it("an address of many is answered in small parts, each profile once, by dying workers too", async () => {
    const ids = Array.from({ length: 45 }, (_, index) => `p-${index}`);
    for (const id of ids) await h.profile(id, "contoso", "anna@contoso.example", !id.endsWith("7"));
    await h.inquire(h.anna, "anna@contoso.example");
    const parts: number[] = [];
    const settleInquiry: LinkStore["settleInquiry"] = async (id, worker, part, now) => {
      if (parts.length === 2) throw new Error("killed");
      parts.push(part.links.length + part.mails.length);
      return await h.store.links.settleInquiry(id, worker, part, now);
    };
    const dying = h.anotherWorker({ links: { ...h.store.links, settleInquiry } });
    await assert.rejects(dying.runOnce(), /killed/);
    assert.deepEqual(parts, [20, 20]);
    assert.equal(await h.worker.runOnce(), 0, "its lease goes on");
    h.now += 30_000;
    assert.equal(await h.worker.runOnce(), 1);
    const names = (await h.drain()).map(({ content }) => "profileName" in content && content.profileName);
    assert.deepEqual(names.sort(), ids.map((id) => `Profile ${id}`).sort());
    assert.equal((await h.store.links.latestInquiry("cid-1"))?.matched, ids.length);
  });

  it("Z10: an address of many profiles takes turns with what others ask meanwhile", async () => {
    for (let index = 0; index < 90; index += 1)
      await h.profile(`p-${index}`, "contoso", "all@contoso.example");
    await h.profile("p-anna", "contoso", "anna@contoso.example");
    await h.inquire(h.eve, "all@contoso.example", "cid-eve");
    await h.inquire(h.anna, "anna@contoso.example", "cid-anna");
    h.now += 1;
    const order: string[] = [];
    const settleInquiry: LinkStore["settleInquiry"] = async (id, ...rest) => {
      order.push(id);
      return await h.store.links.settleInquiry(id, ...rest);
    };
    const worker = h.anotherWorker({ links: { ...h.store.links, settleInquiry } });
    assert.equal(await worker.runOnce(), 2);
    const [eves, annas] = [
      await h.linking.latestInquiry("cid-eve"),
      await h.linking.latestInquiry("cid-anna"),
    ];
    assert.deepEqual(order, [eves?.id, annas?.id, eves?.id, eves?.id, eves?.id, eves?.id]);
    assert.equal((await h.drain()).length, 91);
  });

  it("what an upstream says of an address gives a place only if trusted and verified", async () => {
    const own = "anna@contoso.example";
    await h.profile("p1", "contoso", own);
    const trusted: boolean[] = [];
    const settleInquiry: LinkStore["settleInquiry"] = (id, worker, part, now) => {
      trusted.push(part.asker?.isTrusted ?? assert.fail("nobody asked"));
      assert.equal(part.asker?.mailbox, own);
      assert.equal(part.links[0]?.request.requester.emailVerified, undefined, "it is no part of the request");
      return h.store.links.settleInquiry(id, worker, part, now);
    };
    const links = { ...h.store.links, settleInquiry };
    const worker = h.anotherWorker({
      links,
      settings: { ...settings, trustedUpstreams: new Set([asUpstreamId("consumer")]) },
    });
    for (const change of [
      { email: own, emailVerified: true },
      { email: "ANNA@Contoso.example", emailVerified: true },
      { email: own, emailVerified: false },
      { email: own },
      { email: "anna@mail.example", emailVerified: true },
      { email: null, emailVerified: true },
      { email: own, emailVerified: true, upstreamId: asUpstreamId("another") },
    ]) {
      await h.inquire({ ...h.anna, requester: { ...h.anna.requester, ...change } }, own);
      assert.equal(await worker.runOnce(), 1);
    }
    assert.deepEqual(trusted, [true, true, false, false, false, false, false]);
    await h.inquire({ ...h.anna, requester: { ...h.anna.requester, email: own, emailVerified: true } }, own);
    assert.equal(await h.anotherWorker({ links }).runOnce(), 1);
    assert.equal(trusted.at(-1), false, "nobody is trusted by default");
  });

  it("an inquiry whose worker died is answered by another when the lease is over", async () => {
    await h.profile("p1", "contoso", "anna@contoso.example");
    await h.inquire(h.anna, "anna@contoso.example");
    const directory = { ...h.store.directory, membershipsByEmail: () => Promise.reject(new Error("gone")) };
    const dying = h.anotherWorker({ directory });
    await assert.rejects(dying.runOnce(), /gone/);
    assert.equal(await h.worker.runOnce(), 0);
    h.now += 30_000;
    assert.equal(await h.worker.runOnce(), 1);
    assert.equal((await h.drain()).length, 1);
  });

  it("a worker that lost its lease queues nothing", async () => {
    await h.profile("p1", "contoso", "anna@contoso.example");
    await h.inquire(h.anna, "anna@contoso.example");
    const warnings: object[] = [];
    const directory = {
      ...h.store.directory,
      membershipsByEmail: async (key: string) => {
        h.now += 30_000;
        assert.equal(await h.worker.runOnce(), 1);
        return h.store.directory.membershipsByEmail(key);
      },
    };
    const logger = { warn: (fields: object) => void warnings.push(fields) };
    const slow = h.anotherWorker({ directory, logger });
    assert.equal(await slow.runOnce(), 0);
    assert.equal(warnings.length, 1);
    assert.equal((await h.drain()).length, 1);
  });
});
