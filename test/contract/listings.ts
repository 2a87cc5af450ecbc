/** Lists of any length: in pages without gaps or doubles, filtered, and by what somebody typed. */

import assert from "node:assert/strict";
import { asAccountId, asOrganizationId, type OrganizationId } from "../../src/domain/ids.ts";
import type { Identity, Membership, Organization } from "../../src/domain/records.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { PageRequest, Store } from "../../src/storage/contract.ts";
import { anId, anIdentity, anOrganization, aProfile, MINUTE, NOW } from "../support/records.ts";
import { bind, bound, type Case, present, race, register, signIn } from "./back-end.ts";
import { readAll, readEach } from "./reading.ts";

const DAY = 24 * 60 * MINUTE;

const put = async (store: Store, ...organizations: Organization[]) => {
  for (const organization of organizations)
    await store.directory.putOrganization(organization, "admin:seed", NOW);
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
      (one, other) =>
        Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)) || (one.id < other.id ? -1 : 1),
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

  contract("what comes and goes between two pages moves nothing else", async ({ store }) => {
    await put(store, ...["B", "D", "F", "H"].map((name) => anOrganization({ name })));
    const list = (page: PageRequest) => store.administration.organizations({}, page);
    const first = await list({ after: null, limit: 2 });
    const [b] = first.items;
    await put(store, anOrganization({ name: "A" }), anOrganization({ name: "E" }), {
      ...present(b),
      name: "Z",
    });
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
        await store.administration.apply(role, { actor: "admin:seed", now: NOW });
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
        assert.deepEqual(
          await readEach((page) => memberships(filter, page)),
          all.filter(fits),
          JSON.stringify(filter),
        );
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
      profileIds(
        await readEach((page) => memberships({ accountId, organizationId: second.organization.id }, page)),
      ),
      [second.profile.id],
    );
    assert.deepEqual(
      await readEach((page) => memberships({ accountId: asAccountId(anId("account")) }, page)),
      [],
    );
  });

  contract("accounts are listed newest first, with the identities that they own", async ({ store }) => {
    const times = [NOW, NOW + 2, NOW, NOW + 1, NOW];
    const made = [];
    const identities = new Map<string, Identity>();
    for (const now of times) {
      const identity = anIdentity();
      const account = await store.accounts.signIn(identity, now);
      made.push(account);
      identities.set(account.id, {
        ...identity,
        emailVerified: false,
        accountId: account.id,
        createdAt: now,
        lastSignInAt: now,
      });
    }
    const { accounts, account } = store.administration;
    const all = await readEach((page) => accounts({}, page));
    assert.deepEqual(
      all.map((view) => view.account),
      made.toSorted((one, other) => other.createdAt - one.createdAt || (one.id < other.id ? 1 : -1)),
    );
    for (const view of all) {
      assert.deepEqual(view.identities, [identities.get(view.account.id)]);
      assert.deepEqual(await account(view.account.id), view);
    }
    assert.equal(await account(asAccountId(anId("account"))), undefined);
  });

  contract(
    "an organization is found from any word of its name, and its account number",
    async ({ store }) => {
      const crédit = anOrganization({ name: "Crédit Agricole d'Île-de-France", accountNumber: "K-100 20" });
      const nord = anOrganization({
        name: "Ørsted  Nordic A/S",
        accountNumber: "K-1",
        kind: "customer",
        enabled: false,
      });
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
    },
  );

  contract(
    "a name that is longer than what is kept of it is found, wherever it is cut",
    async ({ store }) => {
      const names = [113, 114, 115].map((length) => `Long ${"x".repeat(length)}\u{1f600}\u{1f600} ${length}`);
      await put(store, ...names.map((name) => anOrganization({ name })));
      const { items } = await store.administration.organizations(
        { search: "long" },
        { after: null, limit: 9 },
      );
      assert.deepEqual(items.map(({ name }) => name).sort(), names.sort());
    },
  );

  contract(
    "a profile is found by its address, the domain of that, and any word of its name",
    async ({ store }) => {
      const address = (email: string) => ({ email, emailKey: email.toLowerCase() });
      const ada = await register(store, { name: "Ada King Lovelace", ...address("Ada.K@Contoso.example") });
      const bob = await register(store, {
        name: "Bob Ada",
        ...address("bob@contoso.example"),
        enabled: false,
      });
      const find = async (
        search: string,
        filter: { enabled?: boolean; organizationId?: OrganizationId } = {},
      ) =>
        profileIds(await readEach((page) => store.administration.memberships({ search, ...filter }, page)));
      assert.deepEqual(await find("ada.k@contoso.example"), [ada.profile.id]);
      assert.deepEqual(await find("ADA."), [ada.profile.id]);
      assert.deepEqual(new Set(await find("contoso")), new Set([ada.profile.id, bob.profile.id]));
      assert.deepEqual(await find("king love"), [ada.profile.id]);
      assert.deepEqual((await find("ada")).length, 2);
      assert.deepEqual(await find("ada", { enabled: false }), [bob.profile.id]);
      assert.deepEqual(await find("ada", { organizationId: ada.organization.id }), [ada.profile.id]);
      const moved = {
        organization: ada.organization,
        profile: { ...ada.profile, ...address("x@y.example") },
      };
      await store.directory.importBatch([moved], "command:import", NOW);
      assert.deepEqual(await find("contoso"), [bob.profile.id]);
      assert.deepEqual(await find("y.ex"), [ada.profile.id]);
    },
  );

  contract(
    "an account is found by subject, address and name, as its upstream said them last",
    async (opened) => {
      const { store } = opened;
      const ada = await signIn(store, {
        subject: "auth0|Ada-17",
        email: "ada@mail.example",
        displayName: "Ada Lovelace",
      });
      const bare = await signIn(store, { subject: "auth0|bare", email: null, displayName: null });
      const find = async (search: string) =>
        (await readEach((page) => store.administration.accounts({ search }, page))).map(
          ({ account }) => account.id,
        );
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
      const stored = present(await store.administration.account(ada.account.id));
      const name = present(stored.identities[0]?.displayName);
      assert.deepEqual(await find("racer"), [ada.account.id]);
      for (const other of ["Racer 0", "Racer 1", "Racer 2"]) {
        assert.deepEqual(await find(other), other === name ? [ada.account.id] : [], other);
      }
    },
  );

  contract("a page looks at a bounded number of records, and says where to go on", async ({ store }) => {
    const rows = Array.from({ length: 1100 }, (_, index) => {
      const organization = anOrganization({
        name: `Filler ${String(index).padStart(4, "0")}`,
        enabled: false,
      });
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
}
