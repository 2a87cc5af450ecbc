/** Lists of any length: in pages without gaps or doubles, filtered, and by what somebody typed. */

import assert from "node:assert/strict";
import { asAccountId, asClientId, asGrantId, asOrganizationId, type OrganizationId } from "../../src/domain/ids.ts";
import type { Membership, Organization, Selection } from "../../src/domain/records.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Page, PageRequest, Store } from "../../src/storage/contract.ts";
import {
  aMail,
  anId,
  anIdentity,
  anOrganization,
  aProfile,
  aSelection,
  hashOf,
  MINUTE,
  NOW,
} from "../support/records.ts";
import { bind, bound, type Case, present, race, register, signIn } from "./harness.ts";

const DAY = 24 * 60 * MINUTE;
const FIRST = { after: null, limit: 50 };

/** Reads a list to its end, so many at a time. */
async function readAll<T>(list: (page: PageRequest) => Promise<Page<T>>, limit: number): Promise<T[]> {
  const all: T[] = [];
  for (let after: string | null = null, turn = 0; ; turn += 1) {
    const { items, next }: Page<T> = await list({ after, limit });
    assert.ok(items.length <= limit, "a page is too long");
    all.push(...items);
    if (next === null) return all;
    assert.notEqual(next, after, "a cursor leads nowhere");
    assert.ok(turn < 500, "a list has no end");
    after = next;
  }
}

/** The same list in pages of several sizes. */
async function readEach<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const [all, ...others] = [await readAll(list, 50), await readAll(list, 1), await readAll(list, 3)];
  for (const other of others) assert.deepEqual(other, all, "it depends on the size of the pages");
  return all;
}

const put = async (store: Store, ...organizations: Organization[]) => {
  for (const organization of organizations) await store.directory.putOrganization(organization, "admin:seed", NOW);
};
const ids = (all: readonly { id: string }[]) => all.map(({ id }) => id);
const profileIds = (all: readonly Membership[]) => all.map(({ profile }) => profile.id);
const isBadRequest = (error: unknown) => error instanceof LiaisonError && error.code === "bad_request";

export function listingCases(contract: Case): void {
  contract("organizations are listed by name, equal names by id, each once", async ({ store }) => {
    const names = ["Zeta", "Alpha", "alpha", "Ärger", "Alpha", "Beta", "Alpha", "\u{1f9ee} Count", "ﬁne"];
    const made = names.map((name, index) =>
      anOrganization({ name, kind: index % 2 ? "customer" : "partner", enabled: index % 3 !== 0 }),
    );
    await put(store, ...made);
    const inOrder = made.toSorted(
      (one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)) || (one.id < other.id ? -1 : 1),
    );
    const { organizations } = store.administration;
    assert.deepEqual(await readEach((page) => organizations({}, page)), inOrder);
    for (const kind of ["customer", "partner", "operator"] as const) {
      const found = await readEach((page) => organizations({ kind }, page));
      assert.deepEqual(
        found,
        inOrder.filter((one) => one.kind === kind),
      );
      for (const enabled of [true, false]) {
        const both = await readEach((page) => organizations({ kind, enabled }, page));
        assert.deepEqual(
          both,
          inOrder.filter((one) => one.kind === kind && one.enabled === enabled),
        );
      }
    }
    for (const enabled of [true, false]) {
      const found = await readEach((page) => organizations({ enabled }, page));
      assert.deepEqual(
        found,
        inOrder.filter((one) => one.enabled === enabled),
      );
    }
  });

  contract(
    "sessions of an account are those of browsers, whatever grants they have, and those of grants",
    async (opened) => {
      const { store } = opened;
      const { account, profile } = await bound(store);
      const other = await bound(store);
      const of = { accountId: account.id, profileId: profile.id };
      const save = async (uid: string, accountId: string | undefined, expiresAt = NOW + MINUTE) => {
        const session = {
          uid,
          authorizations: {},
          removed: [],
          ...(accountId === undefined ? {} : { accountId: asAccountId(accountId) }),
        };
        await store.artifacts.upsertSession(hashOf(anId("cookie")), { uid }, session, expiresAt);
        return uid;
      };
      const grant = async (uid: string, overrides: Partial<Selection> = {}) => {
        const selection = aSelection({ ...of, sessionUid: uid, expiresAt: NOW + MINUTE, ...overrides });
        present(await store.standings.select(selection, NOW));
        return selection;
      };
      const [bare, both, ended, over, gone] = ["bare", "both", "ended", "over", "gone"].map((name) => anId(name));
      assert.ok(bare && both && ended && over && gone);
      // One with a single sign-in that was ended, one with two, of which one client has two, one that is left of by grants alone.
      for (const uid of [bare, both, ended]) await save(uid, account.id);
      await save(over, account.id, NOW);
      await save(gone, account.id, NOW);
      await save(anId("nobody"), undefined);
      await save(anId("other"), other.account.id);
      await grant(anId("other"), { accountId: other.account.id, profileId: other.profile.id });
      const once = await grant(ended);
      const [first, second] = [await grant(both), await grant(both)];
      const refreshed = await grant(over, { expiresAt: NOW + 2 * MINUTE });
      for (const one of [once, await grant(gone)]) {
        const revoke = { kind: "revoke_grant", grantId: one.grantId } as const;
        assert.equal((await store.administration.carryOut(revoke, { actor: "admin:7", now: NOW })).result, "done");
      }
      const { sessions, session } = store.administration;
      const expected = [
        { sessionUid: bare, accountId: account.id, clientIds: [] },
        { sessionUid: both, accountId: account.id, clientIds: [first.clientId, second.clientId].toSorted() },
        { sessionUid: ended, accountId: account.id, clientIds: [] },
        { sessionUid: over, accountId: account.id, clientIds: [refreshed.clientId] },
      ].toSorted((one, next) => (one.sessionUid < next.sessionUid ? -1 : 1));
      assert.deepEqual(await readEach((page) => sessions(account.id, page, NOW)), expected);
      for (const one of expected) assert.deepEqual(await session(one.sessionUid, NOW), one);
      assert.equal(await session(gone, NOW), undefined);
      const left = (await readEach((page) => sessions(account.id, page, NOW + MINUTE))).map(
        ({ sessionUid }) => sessionUid,
      );
      assert.deepEqual(left, [over], "what expired is in no list");
      assert.equal(await session(bare, NOW + MINUTE), undefined);
      const end = { kind: "end_session", sessionUid: bare } as const;
      assert.equal((await store.administration.carryOut(end, { actor: "admin:7", now: NOW })).result, "done");
      assert.equal(await session(bare, NOW), undefined);
    },
  );

  contract("sessions of an account are listed each once, however many grants each has", async ({ store }) => {
    const { account, profile } = await bound(store);
    const uids = Array.from({ length: 7 }, () => anId("uid")).toSorted();
    for (const sessionUid of uids) {
      for (let count = 0; count < 4; count += 1) {
        const selection = aSelection({ accountId: account.id, profileId: profile.id, sessionUid });
        present(await store.standings.select(selection, NOW));
      }
    }
    const found = await readEach((page) => store.administration.sessions(account.id, page, NOW));
    assert.deepEqual(
      found.map(({ sessionUid, clientIds }) => [sessionUid, clientIds.length]),
      uids.map((uid) => [uid, 4]),
    );
  });

  contract("what comes and goes between two pages moves nothing else", async ({ store }) => {
    await put(store, ...["B", "D", "F", "H"].map((name) => anOrganization({ name })));
    const list = (page: PageRequest) => store.administration.organizations({}, page);
    const first = await list({ after: null, limit: 2 });
    const [b] = first.items;
    await put(store, anOrganization({ name: "A" }), anOrganization({ name: "E" }), { ...present(b), name: "Z" });
    const rest = await list({ after: first.next, limit: 9 });
    assert.deepEqual(
      [...first.items, ...rest.items].map(({ name }) => name),
      ["B", "D", "E", "F", "H", "Z"],
    );
  });

  contract(
    "memberships are listed by name, of an organization, of an account, disabled or administrating",
    async ({ store }) => {
      const [one, other] = [anOrganization({ kind: "operator" }), anOrganization()];
      await put(store, one, other);
      const names = ["Cy", "Ann", "Bea", "Ann", "Dee", "Ann"];
      for (const [index, name] of names.entries()) {
        const { id } = index % 2 ? other : one;
        const profile = aProfile({ organizationId: id, name, enabled: index !== 2 && index !== 5 });
        await store.directory.putProfile(profile, "admin:seed", NOW);
        if (index % 4 !== 0) continue;
        const role = { kind: "set_admin_role", profileId: profile.id, adminRole: "support" } as const;
        await store.administration.carryOut(role, { actor: "admin:seed", now: NOW });
      }
      const { memberships } = store.administration;
      const all = await readEach((page) => memberships({}, page));
      assert.deepEqual(
        all.map(({ profile }) => profile.name),
        ["Ann", "Ann", "Ann", "Bea", "Cy", "Dee"],
      );
      for (const { profile, organization } of all) {
        assert.deepEqual({ profile, organization }, await store.directory.membership(profile.id));
      }
      const filters = [
        [{ organizationId: one.id }, ({ organization }: Membership) => organization.id === one.id],
        [{ enabled: false }, ({ profile }: Membership) => !profile.enabled],
        [{ enabled: true }, ({ profile }: Membership) => profile.enabled],
        [{ isAdministrator: true }, ({ profile }: Membership) => profile.adminRole !== null],
        [{ isAdministrator: true, enabled: false }, () => false],
        [
          { organizationId: other.id, enabled: false },
          ({ profile, organization }: Membership) => organization.id === other.id && !profile.enabled,
        ],
        [{ organizationId: asOrganizationId(anId("organization")) }, () => false],
      ] as const;
      for (const [filter, fits] of filters) {
        assert.deepEqual(await readEach((page) => memberships(filter, page)), all.filter(fits), JSON.stringify(filter));
      }
    },
  );

  contract("the memberships of an account are its bound profiles", async ({ store }) => {
    const person = await bound(store);
    await bound(store);
    const second = await register(store, { name: "Aaron", enabled: true });
    await bind(store, person, second.profile.id);
    const { memberships } = store.administration;
    const accountId = person.account.id;
    const found = await readEach((page) => memberships({ accountId }, page));
    assert.deepEqual(profileIds(found), [second.profile.id, person.profile.id]);
    assert.deepEqual(
      profileIds(await readEach((page) => memberships({ accountId, organizationId: second.organization.id }, page))),
      [second.profile.id],
    );
    assert.deepEqual(await readEach((page) => memberships({ accountId: asAccountId(anId("account")) }, page)), []);
  });

  contract("accounts are listed newest first, with the identities that they own", async ({ store }) => {
    const times = [NOW, NOW + 2, NOW, NOW + 1, NOW];
    const made = [];
    for (const now of times) made.push(await store.accounts.signIn(anIdentity(), now));
    const { accounts, account } = store.administration;
    const all = await readEach((page) => accounts({}, page));
    assert.deepEqual(
      all.map((view) => view.account),
      made.toSorted((one, other) => other.createdAt - one.createdAt || (one.id < other.id ? 1 : -1)),
    );
    for (const view of all) {
      assert.deepEqual(view.identities, await store.accounts.identities(view.account.id));
      assert.deepEqual(await account(view.account.id), view);
    }
    assert.equal(await account(asAccountId(anId("account"))), undefined);
  });

  contract("an organization is found from any word of its name, and its account number", async ({ store }) => {
    const crédit = anOrganization({ name: "Crédit Agricole d'Île-de-France", accountNumber: "K-100 20" });
    const nord = anOrganization({ name: "Ørsted  Nordic A/S", accountNumber: "K-1", kind: "customer", enabled: false });
    const both = anOrganization({ name: "Nord Nordic nordic", accountNumber: "NORD 7" });
    await put(store, crédit, nord, both);
    const find = async (search: string, filter: { kind?: "customer"; enabled?: boolean } = {}) =>
      ids(await readEach((page) => store.administration.organizations({ search, ...filter }, page)));
    assert.deepEqual(await find("CREDIT"), [crédit.id]);
    assert.deepEqual(await find("agri"), [crédit.id]);
    assert.deepEqual(await find("  Agricole   D'ile"), [crédit.id]);
    assert.deepEqual(await find("ricole"), [], "from the beginning of a word");
    assert.deepEqual(await find("k-1"), [nord.id, crédit.id], "in the order of what was found");
    assert.deepEqual(await find("20"), [crédit.id]);
    assert.deepEqual(await find("nord"), [both.id, nord.id], "once, though several words begin so");
    assert.deepEqual(await find("nord", { kind: "customer" }), [nord.id]);
    assert.deepEqual(await find("nord", { enabled: true }), [both.id]);
    for (const nothing of ["", "  ", "\u0301", "%", "_", ".*", "\u0001", "$"])
      assert.deepEqual(await find(nothing), [], nothing);
    await put(store, { ...crédit, name: "Banque" });
    assert.deepEqual(await find("credit"), [], "as it is called now");
    assert.deepEqual(await find("banque"), [crédit.id]);
    assert.deepEqual(await find("k-100"), [crédit.id]);
  });

  contract("a name that is longer than what is kept of it is found, wherever it is cut", async ({ store }) => {
    const names = [113, 114, 115].map((length) => `Long ${"x".repeat(length)}\u{1f600}\u{1f600} ${length}`);
    await put(store, ...names.map((name) => anOrganization({ name })));
    const { items } = await store.administration.organizations({ search: "long" }, { after: null, limit: 9 });
    assert.deepEqual(items.map(({ name }) => name).sort(), names.sort());
  });

  contract("a profile is found by its address, the domain of that, and any word of its name", async ({ store }) => {
    const address = (email: string) => ({ email, emailKey: email.toLowerCase() });
    const ada = await register(store, { name: "Ada King Lovelace", ...address("Ada.K@Contoso.example") });
    const bob = await register(store, { name: "Bob Ada", ...address("bob@contoso.example"), enabled: false });
    const find = async (search: string, filter: { enabled?: boolean; organizationId?: OrganizationId } = {}) =>
      profileIds(await readEach((page) => store.administration.memberships({ search, ...filter }, page)));
    assert.deepEqual(await find("ada.k@contoso.example"), [ada.profile.id]);
    assert.deepEqual(await find("ADA."), [ada.profile.id]);
    assert.deepEqual(new Set(await find("contoso")), new Set([ada.profile.id, bob.profile.id]));
    assert.deepEqual(await find("king love"), [ada.profile.id]);
    assert.deepEqual((await find("ada")).length, 2);
    assert.deepEqual(await find("ada", { enabled: false }), [bob.profile.id]);
    assert.deepEqual(await find("ada", { organizationId: ada.organization.id }), [ada.profile.id]);
    const moved = { organization: ada.organization, profile: { ...ada.profile, ...address("x@y.example") } };
    await store.directory.importBatch([moved], "command:import", NOW);
    assert.deepEqual(await find("contoso"), [bob.profile.id]);
    assert.deepEqual(await find("y.ex"), [ada.profile.id]);
  });

  contract("an account is found by subject, address and name, as its upstream said them last", async (opened) => {
    const { store } = opened;
    const ada = await signIn(store, {
      subject: "auth0|Ada-17",
      email: "ada@mail.example",
      displayName: "Ada Lovelace",
    });
    const bare = await signIn(store, { subject: "auth0|bare", email: null, displayName: null });
    const find = async (search: string) =>
      (await readEach((page) => store.administration.accounts({ search }, page))).map(({ account }) => account.id);
    assert.deepEqual(await find("AUTH0|ada"), [ada.account.id]);
    assert.deepEqual(await find("auth0"), [ada.account.id, bare.account.id]);
    assert.deepEqual(await find("lovelace"), [ada.account.id]);
    assert.deepEqual(await find("mail.ex"), [ada.account.id]);
    await store.accounts.signIn({ ...ada.identity, displayName: "Ada Byron", email: null }, NOW);
    assert.deepEqual([await find("lovelace"), await find("mail.ex")], [[], []]);
    assert.deepEqual(await find("byron"), [ada.account.id]);
    // Racers leave what is found and what is stored the same.
    await race(opened, 12, (racer, index) =>
      racer.accounts.signIn({ ...ada.identity, displayName: `Racer ${index % 3}` }, NOW + index),
    );
    const name = present((await store.accounts.identities(ada.account.id))[0]?.displayName);
    assert.deepEqual(await find("racer"), [ada.account.id]);
    for (const other of ["Racer 0", "Racer 1", "Racer 2"]) {
      assert.deepEqual(await find(other), other === name ? [ada.account.id] : [], other);
    }
  });

  contract("a page looks at a bounded number of records, and says where to go on", async ({ store }) => {
    const rows = Array.from({ length: 1100 }, (_, index) => {
      const organization = anOrganization({ name: `Filler ${String(index).padStart(4, "0")}`, enabled: false });
      return { organization, profile: aProfile({ organizationId: organization.id, name: "Filler" }) };
    });
    for (let at = 0; at < rows.length; at += 100) {
      await store.directory.importBatch(rows.slice(at, at + 100), "command:import", NOW);
    }
    const last = anOrganization({ name: "Last" });
    await put(store, last);
    const list = (page: PageRequest) => store.administration.organizations({ enabled: true }, page);
    const first = await list({ after: null, limit: 100 });
    assert.deepEqual(first.items, []);
    assert.notEqual(first.next, null);
    assert.deepEqual(await readAll(list, 100), [last]);
    const found = (page: PageRequest) => store.administration.memberships({ search: "filler" }, page);
    assert.equal(new Set(profileIds(await readAll(found, 100))).size, 1100);
  });

  contract("a cursor of somewhere else is refused", async ({ store }) => {
    await put(store, ...["A", "B", "C"].map((name) => anOrganization({ name })));
    for (const day of [NOW, NOW + 1]) await store.accounts.signIn(anIdentity(), day);
    const { organizations, accounts, deliveries, grants } = store.administration;
    const after = (await organizations({}, { after: null, limit: 1 })).next;
    assert.ok(after);
    const lists = [accounts, deliveries].map((list) => (page: PageRequest) => list({}, page));
    for (const list of lists) await assert.rejects(list({ after, limit: 5 }), isBadRequest);
    await assert.rejects(grants({}, { after, limit: 5 }, NOW), isBadRequest);
    for (const forged of ["", "x", "WzFd", "bnVsbA", "W251bGwsMV0"]) {
      await assert.rejects(organizations({}, { after: forged, limit: 5 }), isBadRequest, forged);
    }
  });

  contract("plans that end in a time are listed, the soonest first", async ({ store }) => {
    const plan = (status: "active" | "suspended", days: number | null) => ({
      plan: { status, expiresAt: days === null ? null : NOW + days * DAY },
    });
    const [late, soon, before, after] = [
      anOrganization(plan("active", 20)),
      anOrganization(plan("active", 0)),
      anOrganization(plan("active", -1)),
      anOrganization(plan("active", 30)),
    ];
    await put(
      store,
      late,
      soon,
      before,
      after,
      anOrganization(plan("suspended", 5)),
      anOrganization(plan("active", null)),
    );
    const { expiringPlans } = store.administration;
    assert.deepEqual(await expiringPlans(NOW, NOW + 30 * DAY, 9), [soon, late]);
    assert.deepEqual(await expiringPlans(NOW - 9 * DAY, NOW + 31 * DAY, 2), [before, soon]);
  });

  contract("grants are listed while they hold, of a person, a profile or a portal", async ({ store }) => {
    const [ann, bea] = [await bound(store), await bound(store)];
    const clients = [anId("client"), anId("client"), anId("client")];
    const made: Selection[] = [];
    for (const { account, profile } of [ann, bea]) {
      for (const [index, clientId] of clients.entries()) {
        const times = index === 2 ? { expiresAt: NOW + 1 } : {};
        const selection = aSelection({
          accountId: account.id,
          profileId: profile.id,
          clientId: asClientId(clientId),
          ...times,
        });
        present(await store.standings.select(selection, NOW));
        made.push(selection);
      }
    }
    made.sort((one, other) => (one.grantId < other.grantId ? -1 : 1));
    const { grants, grant, countGrants } = store.administration;
    for (const now of [NOW, NOW + 1]) {
      const live: Selection[] = made.filter(({ expiresAt }) => expiresAt > now);
      assert.equal(live.length, now === NOW ? 6 : 4);
      const clientId = asClientId(clients[0] ?? assert.fail("no client"));
      const [accountId, profileId] = [ann.account.id, bea.profile.id];
      for (const filter of [
        {},
        { clientId },
        { accountId },
        { profileId },
        { profileId, clientId },
        { accountId, profileId },
      ]) {
        const fits = live.filter((one) =>
          Object.entries(filter).every(([key, value]) => one[key as "clientId"] === value),
        );
        const found = await readEach((page) => grants(filter, page, now));
        assert.deepEqual(found, fits, JSON.stringify(filter));
      }
      for (const one of made)
        assert.deepEqual(
          await grant(one.grantId, now),
          live.find((other) => other === one),
        );
    }
    assert.equal(await grant(asGrantId(anId("grant")), NOW), undefined);
    const counted = await Promise.all(clients.map((id) => countGrants(asClientId(id), NOW + 1, 9)));
    assert.deepEqual(counted, [2, 2, 0]);
    assert.equal(await countGrants(asClientId(present(clients[0])), NOW, 1), 1);
    assert.equal(await countGrants(asClientId(anId("client")), NOW, 9), 0);
  });

  contract("deliveries are listed newest first, of one state or all", async ({ store }) => {
    const made = [];
    for (const now of [NOW, NOW + 2, NOW, NOW + 1, NOW]) {
      const mail = aMail();
      await store.outbox.enqueue(mail, [], now);
      made.unshift({ id: mail.id, now });
    }
    const oldest = present(made.at(-1));
    const claimed = present(await store.outbox.claim("w", NOW, MINUTE, MINUTE)).message;
    assert.equal(claimed.id, oldest.id);
    await store.outbox.markSent(claimed.id, "w", "250 taken", NOW);
    const { deliveries } = store.administration;
    const all = await readEach((page) => deliveries({}, page));
    const newest = made.toSorted((one, other) => other.now - one.now);
    assert.deepEqual(ids(all), ids(newest));
    for (const one of all) assert.deepEqual(one, await store.outbox.find(one.id));
    assert.deepEqual(await readEach((page) => deliveries({ state: "sent" }, page)), [
      all.find(({ id }) => id === claimed.id),
    ]);
    assert.deepEqual(ids(await readEach((page) => deliveries({ state: "queued" }, page))), ids(newest.slice(0, -1)));
    assert.deepEqual((await deliveries({ state: "held" }, FIRST)).items, []);
  });

  contract("mails that were put off are listed without those that go next, newest first", async ({ store }) => {
    const { outbox, administration } = store;
    const putOff: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      const mail = aMail();
      await outbox.enqueue(mail, [], NOW + index);
      if (index % 4 === 0) continue;
      const { message } = present(await outbox.claim("w", NOW + index, MINUTE, MINUTE));
      await outbox.markDeferred(message.id, "w", `451 later ${index}`, NOW + 10 * MINUTE, NOW);
      putOff.unshift(message.id);
    }
    const of = (filter: { state?: "queued" | "sent"; isPutOff: true }) =>
      readEach((page) => administration.deliveries(filter, page));
    const found = await of({ isPutOff: true });
    assert.deepEqual(new Set(ids(found)), new Set(putOff));
    const times = found.map(({ createdAt }) => createdAt);
    assert.deepEqual(
      times,
      times.toSorted((one, other) => other - one),
    );
    assert.deepEqual(ids(await of({ state: "queued", isPutOff: true })), ids(found));
    assert.deepEqual(await of({ state: "sent", isPutOff: true }), []);
  });
}
