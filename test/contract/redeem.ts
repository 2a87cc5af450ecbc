import assert from "node:assert/strict";
import { asAccountId, asLinkRequestId, asProfileId, asUpstreamId } from "../../src/domain/ids.ts";
import type { NewLink, Store } from "../../src/storage/contract.ts";
import { anId, aSelection, hashOf, MINUTE, NOW, secretOf } from "../support/records.ts";
import {
  aNotice,
  bind,
  bound,
  type Case,
  dueMails,
  present,
  profileOf,
  race,
  redemption,
  register,
  request,
  type SignedIn,
  signIn,
  stateOf,
} from "./back-end.ts";

async function asked(store: Store) {
  const registered = await register(store);
  const person = await signIn(store);
  return { ...registered, person, link: await request(store, person, registered.profile.id) };
}

/**
 * Asserts that a redemption is refused, leaving everything as it was, and that the rightful one still
 * succeeds.
 */
async function refusesThenBinds(
  store: Store,
  person: SignedIn,
  link: NewLink,
  attempt: ReturnType<typeof redemption>,
  expected: "refused" | "unknown" = "refused",
) {
  const events = (await store.audit.list({ limit: 99 })).length;
  const refused = await store.links.redeem(attempt, aNotice(), NOW);
  assert.equal(refused.result, expected);
  if (refused.result === "refused")
    assert.deepEqual(refused, {
      result: "refused",
      ...present(await store.links.view(link.request.id, link.request.secretHash)),
    });
  assert.equal(await stateOf(store, link), "pending");
  assert.equal((await profileOf(store, link.request.profileId)).accountId, null);
  assert.equal((await store.audit.list({ limit: 99 })).length, events);
  assert.equal((await store.links.redeem(redemption(person, link), aNotice(), NOW)).result, "bound");
}

export function redeemCases(contract: Case): void {
  contract("redeeming binds, audits, tells the owner and voids the other requests", async ({ store }) => {
    const { person, profile, organization, link } = await asked(store);
    const rival = await request(store, await signIn(store), profile.id);
    await dueMails(store, NOW);
    const notice = aNotice();
    const result = await store.links.redeem(redemption(person, link), notice, NOW + 11);
    assert.ok(result.result === "bound");
    const membership = present(await store.directory.membership(profile.id));
    assert.deepEqual(result.membership, membership);
    assert.deepEqual(membership.profile, {
      ...profile,
      emailVersion: 1,
      adminRole: null,
      invitedAt: null,
      accountId: person.account.id,
      boundAt: NOW + 11,
      provenEmailVersion: 1,
    });
    const view = present(await store.links.view(link.request.id, link.request.secretHash));
    assert.deepEqual(view.request, { ...view.request, state: "bound", settledAt: NOW + 11 });
    assert.equal(await stateOf(store, rival), "void");
    const [event] = await store.audit.list({ requestId: link.request.id, limit: 1 });
    assert.deepEqual(
      [event?.action, event?.actor, event?.at, event?.profileId, event?.organizationId, event?.accountId],
      [
        "profile.bound",
        `account:${person.account.id}`,
        NOW + 11,
        profile.id,
        organization.id,
        person.account.id,
      ],
    );
    const { upstreamId, email, displayName } = person.identity;
    const mails = await dueMails(store, NOW + 11);
    assert.deepEqual(
      mails.map(({ message: { id, messageId, to, content } }) => ({ id, messageId, to, content })),
      [
        {
          ...notice,
          to: profile.email,
          content: {
            kind: "linked_notice",
            profileName: profile.name,
            organizationName: organization.name,
            requester: { upstreamId, email, displayName },
            linkedAt: NOW + 11,
          },
        },
      ],
    );
  });

  contract("D1, L6: of a hundred redemptions at once one binds, audited once, told once", async (opened) => {
    const { store } = opened;
    const { person, profile, link } = await asked(store);
    await dueMails(store, NOW);
    const results = await race(opened, 100, (racer) =>
      racer.links.redeem(redemption(person, link), aNotice(), NOW),
    );
    assert.equal(results.filter(({ result }) => result === "bound").length, 1);
    assert.equal(results.filter(({ result }) => result === "refused").length, 99);
    const events = await store.audit.list({ profileId: profile.id, limit: 999 });
    assert.equal(events.filter((event) => event.action === "profile.bound").length, 1);
    assert.equal((await dueMails(store, NOW)).length, 1);
  });

  contract("D1: of many people's requests for one profile, redeemed at once, one binds", async (opened) => {
    const { store } = opened;
    const { profile } = await register(store);
    const rivals: { person: SignedIn; link: NewLink }[] = [];
    for (let index = 0; index < 20; index += 1) {
      const person = await signIn(store);
      rivals.push({ person, link: await request(store, person, profile.id) });
    }
    const results = await race(opened, 20, (racer, index) => {
      const { person, link } = present(rivals[index]);
      return racer.links.redeem(redemption(person, link), aNotice(), NOW);
    });
    const winner = results.findIndex(({ result }) => result === "bound");
    assert.equal(results.filter(({ result }) => result === "bound").length, 1);
    assert.equal((await profileOf(store, profile.id)).accountId, rivals[winner]?.person.account.id);
  });

  contract("L7: a request is dead from the first instant of its expiresAt", async ({ store }) => {
    const { person, link } = await asked(store);
    const { expiresAt } = link.request;
    assert.equal(
      (await store.links.redeem(redemption(person, link), aNotice(), expiresAt)).result,
      "refused",
    );
    const cancel = { ...redemption(person, link) };
    assert.equal((await store.links.cancel(cancel, expiresAt)).result, "refused");
    assert.equal(
      (await store.links.redeem(redemption(person, link), aNotice(), expiresAt - 1)).result,
      "bound",
    );
  });

  contract("an unknown request, or another request's secret, is unknown", async ({ store }) => {
    const { person, link } = await asked(store);
    const other = await asked(store);
    const attempt = redemption(person, link);
    const stray = { ...attempt, requestId: asLinkRequestId(anId("request")) };
    assert.deepEqual(await store.links.redeem(stray, aNotice(), NOW), { result: "unknown" });
    assert.deepEqual(await store.links.cancel(stray, NOW), { result: "unknown" });
    const foreign = { ...attempt, secretHash: other.link.request.secretHash };
    await refusesThenBinds(store, person, link, foreign, "unknown");
  });

  contract("a secret differing in case is unknown", async ({ store }) => {
    const { person, link } = await asked(store);
    const secret = secretOf(link.request.id).toUpperCase();
    await refusesThenBinds(store, person, link, redemption(person, link, { secret }), "unknown");
  });

  for (const [what, change] of [
    ["subject in another case", { subject: "SUBJECT-CAFÉ" }],
    ["subject with a space behind", { subject: "Subject-café " }],
    ["subject in another Unicode normalization", { subject: "Subject-cafe\u0301" }],
    ["issuer with a trailing slash", { issuer: "https://login.example/" }],
    ["issuer in another case", { issuer: "https://LOGIN.example" }],
    ["other issuer", { issuer: "https://evil.example" }],
    ["other upstream", { upstreamId: asUpstreamId("consumer-2") }],
    ["no subject", { subject: "" }],
  ] as const) {
    contract(`L1: ${what} never redeems, and the link stays alive`, async ({ store }) => {
      const { profile } = await register(store);
      const person = await signIn(store, { issuer: "https://login.example", subject: "Subject-café" });
      const link = await request(store, person, profile.id);
      const identity = { ...person.identity, ...change };
      const stranger = await store.accounts.signIn(identity, NOW);
      // With an account that does own it: nothing but the request itself is in its way.
      const own = redemption(person, link, { identity, accountId: stranger.id });
      assert.equal((await store.links.redeem(own, aNotice(), NOW)).result, "refused");
      await refusesThenBinds(store, person, link, redemption(person, link, { identity }));
      assert.equal((await profileOf(store, profile.id)).accountId, person.account.id);
    });
  }

  contract("L2: an account that doesn't own the identity is never bound", async ({ store }) => {
    const { person, link } = await asked(store);
    const other = await signIn(store);
    await refusesThenBinds(store, person, link, redemption(person, link, { accountId: other.account.id }));
  });

  contract("a request for another version of the email never redeems", async ({ store }) => {
    const { profile } = await register(store);
    const person = await signIn(store);
    for (const emailVersion of [0, 2]) {
      const link = await request(store, person, profile.id, { emailVersion });
      assert.equal((await store.links.redeem(redemption(person, link), aNotice(), NOW)).result, "refused");
    }
    assert.equal((await profileOf(store, profile.id)).accountId, null);
  });

  contract("L10: a request made for a disabled profile or organization never redeems", async ({ store }) => {
    const { profile, organization } = await register(store);
    const person = await signIn(store);
    await store.directory.putProfile({ ...profile, enabled: false }, "admin:7", NOW);
    const first = await request(store, person, profile.id);
    assert.equal((await store.links.redeem(redemption(person, first), aNotice(), NOW)).result, "refused");
    await store.directory.putProfile(profile, "admin:7", NOW);
    await store.directory.putOrganization({ ...organization, enabled: false }, "admin:7", NOW);
    const second = await request(store, person, profile.id);
    assert.equal((await store.links.redeem(redemption(person, second), aNotice(), NOW)).result, "refused");
    assert.equal((await profileOf(store, profile.id)).accountId, null);
  });

  contract("L15: a bound profile is never rebound, nor its owner's request reused", async ({ store }) => {
    const { profile, account } = await bound(store);
    const person = await signIn(store);
    const link = await request(store, person, profile.id);
    const refused = await store.links.redeem(redemption(person, link), aNotice(), NOW);
    assert.ok(refused.result === "refused");
    assert.equal(refused.request.state, "pending");
    assert.equal(refused.membership.profile.accountId, account.id);
    assert.equal((await profileOf(store, profile.id)).accountId, account.id);
  });

  contract("L5: a redeemed, cancelled, superseded or voided request is dead", async ({ store }) => {
    const { link: used, ...person } = await bound(store);
    const again = await store.links.redeem(redemption(person, used), aNotice(), NOW);
    assert.equal(again.result === "refused" && again.request.state, "bound");
    assert.equal((await store.links.cancel(redemption(person, used), NOW)).result, "refused");
    const next = await asked(store);
    await store.links.cancel(redemption(next.person, next.link), NOW);
    const cancelled = await store.links.redeem(redemption(next.person, next.link), aNotice(), NOW);
    assert.equal(cancelled.result === "refused" && cancelled.request.state, "cancelled");
    await request(store, next.person, next.profile.id);
    const newer = await request(store, next.person, next.profile.id);
    await request(store, next.person, next.profile.id);
    const superseded = await store.links.redeem(redemption(next.person, newer), aNotice(), NOW);
    assert.equal(superseded.result === "refused" && superseded.request.state, "superseded");
    assert.equal((await profileOf(store, next.profile.id)).accountId, null);
  });

  contract("of racing cancellations one gets it, audited with who did it", async (opened) => {
    const { store } = opened;
    const { profile, organization, link } = await asked(store);
    const other = await signIn(store);
    const attempt = redemption(other, link);
    const results = await race(opened, 50, (racer) => racer.links.cancel(attempt, NOW + 2));
    const won = results.filter(({ result }) => result === "cancelled");
    assert.equal(won.length, 1);
    assert.deepEqual(won[0], {
      result: "cancelled",
      ...present(await store.links.view(link.request.id, link.request.secretHash)),
    });
    assert.ok(won[0]?.result === "cancelled" && won[0].request.settledAt === NOW + 2);
    const events = (await store.audit.list({ requestId: link.request.id, limit: 99 })).slice(0, -1);
    assert.deepEqual(
      events.map(({ action, actor, profileId, organizationId }) => [
        action,
        actor,
        profileId,
        organizationId,
      ]),
      [["link.cancelled", `account:${other.account.id}`, profile.id, organization.id]],
    );
  });

  contract("redeeming and cancelling at once: one of them, never both", async (opened) => {
    const { store } = opened;
    const { person, profile, link } = await asked(store);
    const results = await race<{ result: string }>(opened, 50, (racer, index) =>
      index % 3 === 0
        ? racer.links.cancel(redemption(person, link), NOW)
        : racer.links.redeem(redemption(person, link), aNotice(), NOW),
    );
    const won = results.filter(({ result }) => result === "bound" || result === "cancelled");
    assert.equal(won.length, 1);
    const isBound = (await profileOf(store, profile.id)).accountId !== null;
    assert.equal(isBound, won[0]?.result === "bound");
    assert.equal(await stateOf(store, link), won[0]?.result);
  });

  contract("the view shows a request whatever became of it, and changes nothing", async ({ store }) => {
    const { link, profile } = await asked(store);
    for (let turn = 0; turn < 20; turn += 1) {
      const view = present(await store.links.view(link.request.id, link.request.secretHash));
      assert.equal(view.request.state, "pending");
    }
    await store.directory.putProfile({ ...profile, enabled: false }, "admin:7", NOW);
    assert.equal(await stateOf(store, link), "void");
    assert.equal(await store.links.view(link.request.id, hashOf("guess")), undefined);
  });

  contract(
    "unbinding frees the profile, voids its requests, revokes its grants and forgets the choice",
    async (opened) => {
      const { store } = opened;
      const { profile, organization, account, identity, link } = await bound(store);
      const pending = await request(store, await signIn(store), profile.id);
      const selection = aSelection({ accountId: account.id, profileId: profile.id });
      present(await store.accountsAtClients.select(selection, NOW));
      const token = hashOf(anId("token"));
      await store.artifacts.upsert("AccessToken", token, {}, { grantId: selection.grantId }, NOW + MINUTE);
      assert.equal(
        await store.links.unbind(profile.id, "admin:7", NOW, asAccountId(anId("account"))),
        undefined,
      );
      assert.equal((await profileOf(store, profile.id)).accountId, account.id);

      const results = await race(opened, 50, (racer) =>
        racer.links.unbind(profile.id, "admin:7", NOW + 6, account.id),
      );
      const { grantId, clientId, accountId, sessionUid } = selection;
      assert.deepEqual(
        results.filter((result) => result !== undefined),
        [{ revokedGrants: [{ grantId, clientId, accountId, sessionUid }] }],
      );
      const freed = await profileOf(store, profile.id);
      assert.deepEqual([freed.accountId, freed.boundAt, freed.provenEmailVersion], [null, null, null]);
      assert.equal(await stateOf(store, pending), "void");
      assert.equal(await stateOf(store, link), "bound");
      assert.equal(await store.artifacts.find("AccessToken", token, NOW), undefined);
      const accountAtClient = present(
        await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW),
      );
      assert.deepEqual(
        [accountAtClient.memberships, accountAtClient.current, accountAtClient.rememberedProfileId],
        [[], null, null],
      );
      const events = await store.audit.list({ profileId: profile.id, limit: 99 });
      assert.deepEqual(
        events
          .filter((event) => event.action === "profile.unbound")
          .map((event) => [event.actor, event.at, event.organizationId, event.accountId]),
        [["admin:7", NOW + 6, organization.id, account.id]],
      );

      await bind(store, { account, identity }, profile.id);
      assert.ok(await store.links.unbind(profile.id, "admin:7", NOW));
      assert.equal(await store.links.unbind(asProfileId(anId("profile")), "admin:7", NOW), undefined);
    },
  );
}
