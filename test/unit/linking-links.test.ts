import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { asLinkRequestId, asProfileId, asUpstreamId } from "../../src/domain/ids.ts";
import { hashSecret } from "../../src/domain/secrets.ts";
import {
  attempt,
  LINK_LIFETIME_MS,
  linkIn,
  type MailedLink,
  useLinking,
} from "../support/linking-fixture.ts";

const h = useLinking();

const resultOf = (outcome: { result: string; reason?: string }) => [outcome.result, outcome.reason];

describe("links", () => {
  let link: MailedLink;

  beforeEach(async () => {
    await h.profile("p1", "contoso", "anna@contoso.example");
    const [mail] = await h.ask(h.anna, "anna@contoso.example");
    link = linkIn(mail);
  });

  it("bind once, send the notice, and say what they bound", async () => {
    const outcome = await h.linking.redeem(attempt(link, h.anna));
    assert.equal(outcome.result, "bound");
    assert.equal(await h.boundTo("p1"), h.anna.accountId);
    const [notice, ...others] = await h.drain();
    assert.equal(notice?.content.kind, "linked_notice");
    assert.equal(notice?.to, "anna@contoso.example");
    assert.deepEqual(others, []);
  });

  it("are shown as often as wanted without changing, and only with their secret", async () => {
    for (let time = 0; time < 20; time += 1) {
      assert.deepEqual((await h.linking.view(asLinkRequestId(link.requestId), link.secret))?.verdict, {
        alive: true,
      });
    }
    assert.equal(await h.linking.view(asLinkRequestId(link.requestId), "x".repeat(43)), undefined);
    assert.equal(await h.linking.view(asLinkRequestId("unknown"), link.secret), undefined);
    assert.deepEqual(
      await h.linking.redeem({ ...attempt(link, h.anna), requestId: asLinkRequestId("unknown") }),
      {
        result: "unknown",
      },
    );
    assert.equal((await h.linking.redeem(attempt(link, h.anna))).result, "bound");
  });

  it("L1 L2 another identity binds nothing; the link stays alive, and it is audited", async () => {
    const outcome = await h.linking.redeem(attempt(link, h.eve));
    assert.equal(outcome.result, "wrong_account");
    if (outcome.result === "wrong_account")
      assert.equal(outcome.request.requester.email, "anna@mail.example");
    assert.equal(await h.boundTo("p1"), null);
    assert.deepEqual(await h.drain(), []);
    assert.deepEqual(await h.refusals(link.requestId), ["wrong_account"]);
    assert.equal((await h.linking.redeem(attempt(link, h.anna))).result, "bound");
  });

  it("Z7 tries of very many accounts are audited once each, and up to a bound", async () => {
    const strangers = Array.from({ length: 60 }, (_, index) => ({
      ...h.eve.identity,
      subject: `stranger-${index}`,
    }));
    for (const identity of strangers) {
      const { id: accountId } = await h.store.accounts.signIn(identity, h.now);
      for (let time = 0; time < 2; time += 1) {
        const tried = { ...attempt(link, h.eve), identity, accountId };
        assert.equal((await h.linking.redeem(tried)).result, "wrong_account");
      }
    }
    const audited = await h.store.audit.list({ requestId: asLinkRequestId(link.requestId), limit: 200 });
    assert.equal(audited.length, 50);
    const actors = audited.filter(({ action }) => action === "link.refused").map(({ actor }) => actor);
    assert.equal(new Set(actors).size, actors.length);
    assert.equal((await h.linking.redeem(attempt(link, h.anna))).result, "bound");
  });

  it("L1 the same subject through another upstream is another identity", async () => {
    const identity = { ...h.anna.identity, upstreamId: asUpstreamId("other") };
    assert.equal((await h.linking.redeem({ ...attempt(link, h.anna), identity })).result, "wrong_account");
    assert.equal(await h.boundTo("p1"), null);
  });

  it("L5 a replay after success is dead for everybody; only the stranger's is audited", async () => {
    await h.linking.redeem(attempt(link, h.anna));
    await h.drain();
    assert.deepEqual(resultOf(await h.linking.redeem(attempt(link, h.anna))), ["dead", "used"]);
    assert.deepEqual(await h.refusals(link.requestId), []);
    assert.deepEqual(resultOf(await h.linking.redeem(attempt(link, h.eve))), ["dead", "used"]);
    assert.deepEqual(await h.refusals(link.requestId), ["used"]);
    assert.equal(await h.boundTo("p1"), h.anna.accountId);
    assert.deepEqual(await h.drain(), []);
  });

  it("L5 a replay after an unlink is dead", async () => {
    await h.linking.redeem(attempt(link, h.anna));
    assert.notEqual(
      await h.store.links.unbind(asProfileId("p1"), `account:${h.anna.accountId}`, h.now, h.anna.accountId),
      undefined,
    );
    assert.equal(
      await h.store.links.unbind(asProfileId("p1"), `account:${h.anna.accountId}`, h.now, h.anna.accountId),
      undefined,
    );
    assert.deepEqual(resultOf(await h.linking.redeem(attempt(link, h.anna))), ["dead", "used"]);
    assert.equal(await h.boundTo("p1"), null);
    assert.deepEqual(await h.refusals(link.requestId), ["used"]);
  });

  it("L6 of fifty redemptions at once one binds, with one audit event and one notice", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => h.linking.redeem(attempt(link, h.anna))),
    );
    assert.equal(outcomes.filter(({ result }) => result === "bound").length, 1);
    assert.equal(
      outcomes.filter((outcome) => outcome.result === "dead" && outcome.reason === "used").length,
      49,
    );
    const events = await h.store.audit.list({ profileId: asProfileId("p1"), limit: 100 });
    assert.equal(events.filter(({ action }) => action === "profile.bound").length, 1);
    assert.equal(events.filter(({ action }) => action === "link.refused").length, 0);
    assert.equal((await h.drain()).length, 1);
  });

  it("L7 one at its expiry is refused, one a millisecond before isn't", async () => {
    h.now += LINK_LIFETIME_MS;
    assert.deepEqual((await h.linking.view(asLinkRequestId(link.requestId), link.secret))?.verdict, {
      alive: false,
      reason: "expired",
    });
    assert.deepEqual(resultOf(await h.linking.redeem(attempt(link, h.anna))), ["dead", "expired"]);
    assert.deepEqual(await h.drain(), []);
    h.now -= 1;
    assert.equal((await h.linking.redeem(attempt(link, h.anna))).result, "bound");
  });

  it("L8 a newer request of the same identity and profile kills the older; another's doesn't", async () => {
    await h.ask(h.eve, "anna@contoso.example");
    assert.deepEqual((await h.linking.view(asLinkRequestId(link.requestId), link.secret))?.verdict, {
      alive: true,
    });
    const [mail] = await h.ask(h.anna, "anna@contoso.example");
    assert.deepEqual(resultOf(await h.linking.redeem(attempt(link, h.anna))), ["dead", "superseded"]);
    assert.deepEqual(await h.refusals(link.requestId), ["superseded"]);
    assert.equal((await h.linking.redeem(attempt(linkIn(mail), h.anna))).result, "bound");
  });

  it("L8 a superseded request whose mail still waits sends none", async () => {
    const typed = "anna@contoso.example";
    for (const interactionCid of ["cid-2", "cid-3"]) {
      await h.inquire(h.anna, typed, interactionCid);
    }
    assert.equal(await h.worker.runOnce(), 2);
    assert.equal((await h.drain()).length, 1);
  });

  const edits: [what: string, reason: string, edit: () => Promise<void>][] = [
    ["a changed email", "email_changed", () => h.profile("p1", "contoso", "anna.berg@contoso.example")],
    ["a disabled profile", "not_active", () => h.profile("p1", "contoso", "anna@contoso.example", false)],
    ["a disabled organization", "not_active", () => h.organization("contoso", false)],
  ];
  for (const [what, reason, edit] of edits) {
    it(`L10 ${what} kills it`, async () => {
      await edit();
      assert.deepEqual((await h.linking.view(asLinkRequestId(link.requestId), link.secret))?.verdict, {
        alive: false,
        reason,
      });
      assert.deepEqual(resultOf(await h.linking.redeem(attempt(link, h.anna))), ["dead", reason]);
      assert.deepEqual(await h.refusals(link.requestId), [reason]);
      assert.equal(await h.boundTo("p1"), null);
      assert.deepEqual(await h.drain(), []);
    });
  }

  it("L10 one that was switched off stays dead when its organization is back", async () => {
    await h.organization("contoso", false);
    await h.organization("contoso");
    assert.deepEqual(resultOf(await h.linking.redeem(attempt(link, h.anna))), ["dead", "expired"]);
    assert.equal(await h.boundTo("p1"), null);
  });

  it("L15 a profile bound meanwhile is never rebound", async () => {
    const [mail] = await h.ask(h.eve, "anna@contoso.example");
    const other = linkIn(mail);
    await h.linking.redeem(attempt(link, h.anna));
    await h.drain();
    assert.deepEqual(resultOf(await h.linking.redeem(attempt(other, h.eve))), ["dead", "bound_elsewhere"]);
    assert.equal(await h.boundTo("p1"), h.anna.accountId);
    assert.deepEqual(await h.drain(), []);
  });

  it("L5 *don't link* by whoever has the mailbox cancels for good", async () => {
    const outcome = await h.linking.decline(attempt(link, h.eve));
    assert.equal(outcome.result, "cancelled");
    assert.deepEqual(resultOf(await h.linking.redeem(attempt(link, h.anna))), ["dead", "cancelled"]);
    assert.deepEqual(resultOf(await h.linking.decline(attempt(link, h.eve))), ["dead", "cancelled"]);
    assert.deepEqual(
      await h.refusals(link.requestId),
      ["cancelled"],
      "of who declined it no refusal is noted",
    );
    assert.equal(
      (await h.linking.decline({ ...attempt(link, h.eve), isRepeated: true })).result,
      "cancelled",
    );
    const others = { ...attempt(link, h.anna), isRepeated: true };
    assert.deepEqual(resultOf(await h.linking.decline(others)), ["dead", "cancelled"], "it wasn't theirs");
    assert.deepEqual(await h.linking.decline({ ...attempt(link, h.eve), secretHash: hashSecret("x") }), {
      result: "unknown",
    });
    assert.equal(await h.boundTo("p1"), null);
    assert.deepEqual(await h.drain(), []);
  });
});

it("a request waits a week for its mail, and its life starts when that is sent", async () => {
  await h.profile("p1", "contoso", "anna@contoso.example");
  await h.inquire(h.anna, "anna@contoso.example");
  await h.worker.runOnce();
  h.now += 6 * 24 * 3600_000;
  const link = linkIn((await h.drain())[0]);
  h.now += LINK_LIFETIME_MS - 1;
  assert.equal((await h.linking.redeem(attempt(link, h.anna))).result, "bound");
});
