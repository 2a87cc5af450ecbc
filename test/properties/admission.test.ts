/**
 * Properties of the access policy and of admission: every case of a small domain against a second, plainer
 * wording of the rules, and laws that hold for any policy whatever it says.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { refusals } from "../../src/domain/access.ts";
import type { AccountAtClient } from "../../src/domain/admission.ts";
import { decideAdmission } from "../../src/domain/admission.ts";
import { asAccountId, asClientId, asGrantId, asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import type {
  AccessPolicy,
  Membership,
  OrganizationKind,
  ProfileId,
  ServicePlan,
} from "../../src/domain/records.ts";
import { NOW } from "../support/records.ts";

const seed = 20_260_301;
const kinds: OrganizationKind[] = ["customer", "partner", "operator"];
const plans: ServicePlan[] = [
  { status: "none", expiresAt: null },
  { status: "none", expiresAt: NOW + 1 },
  { status: "suspended", expiresAt: null },
  { status: "suspended", expiresAt: NOW + 1 },
  { status: "active", expiresAt: null },
  { status: "active", expiresAt: NOW + 1 },
  { status: "active", expiresAt: NOW },
  { status: "active", expiresAt: NOW - 1 },
];
const roleSets = [[], ["buyer"], ["seller"], ["buyer", "seller"]];
const booleans = [true, false];

interface Traits {
  kind: OrganizationKind;
  plan: ServicePlan;
  roles: string[];
  enabled: boolean;
  organizationEnabled: boolean;
}

function member(id: ProfileId, { kind, plan, roles, enabled, organizationEnabled }: Traits): Membership {
  const organization = {
    id: asOrganizationId(`of-${id}`),
    name: "Contoso",
    accountNumber: "C-1",
    kind,
    plan,
    enabled: organizationEnabled,
  };
  const profile = {
    id,
    organizationId: organization.id,
    email: `${id}@contoso.example`,
    emailKey: `${id}@contoso.example`,
    emailVersion: 3,
    name: id,
    roles,
    enabled,
    adminRole: null,
    invitedAt: null,
    accountId: asAccountId("account"),
    boundAt: NOW - 7,
    provenEmailVersion: 3,
  };
  return { profile, organization };
}

/** The rules as an administrator would say them. */
function opens(
  policy: AccessPolicy,
  { kind, plan, roles, enabled, organizationEnabled }: Traits,
  now: number,
): boolean {
  const planIsGood = plan.status === "active" && !(plan.expiresAt !== null && plan.expiresAt <= now);
  const roleIsGood =
    policy.roles.length === 0 || roles.filter((role) => policy.roles.includes(role)).length > 0;
  return (
    enabled &&
    organizationEnabled &&
    policy.kinds.includes(kind) &&
    (!policy.planRequired || planIsGood) &&
    roleIsGood
  );
}

const everyTraits: Traits[] = kinds.flatMap((kind) =>
  plans.flatMap((plan) =>
    roleSets.flatMap((roles) =>
      booleans.flatMap((enabled) =>
        booleans.map((organizationEnabled) => ({ kind, plan, roles, enabled, organizationEnabled })),
      ),
    ),
  ),
);
const kindSets = Array.from({ length: 8 }, (_, bits) =>
  kinds.filter((_kind, index) => (bits >> index) % 2 === 1),
);
const everyPolicy: AccessPolicy[] = kindSets.flatMap((someKinds) =>
  booleans.flatMap((planRequired) => roleSets.map((roles) => ({ kinds: someKinds, planRequired, roles }))),
);

interface Wishes {
  chosen: ProfileId | undefined;
  hint: ProfileId | undefined;
  current: ProfileId | undefined;
  remembered: ProfileId | undefined;
}

function accountAtClientOf(
  memberships: Membership[],
  { current, remembered }: Pick<Wishes, "current" | "remembered">,
): AccountAtClient {
  const selection = current !== undefined && {
    grantId: asGrantId("grant"),
    sessionUid: "session",
    clientId: asClientId("client"),
    accountId: asAccountId("account"),
    profileId: current,
    expiresAt: NOW + 60_000,
  };
  return {
    accountId: asAccountId("account"),
    memberships,
    current: selection || null,
    rememberedProfileId: remembered ?? null,
    identity: null,
  };
}

function ask(memberships: Membership[], policy: AccessPolicy, wishes: Wishes, now = NOW) {
  return decideAdmission({
    accountAtClient: accountAtClientOf(memberships, wishes),
    policy,
    chosen: wishes.chosen,
    hint: wishes.hint,
    now,
  });
}

/** What the rules say in one word: the kind of decision, and for whom. */
function expected(people: [string, Traits][], policy: AccessPolicy, wishes: Wishes): string {
  if (people.length === 0) return "unlinked";
  const open = people.filter(([, traits]) => opens(policy, traits, NOW)).map(([id]) => id);
  if (open.length === 0) return "not_admitted";
  const { chosen, hint, current, remembered } = wishes;
  const isOpen = (wish: ProfileId | undefined) => wish !== undefined && open.includes(wish);
  if (isOpen(chosen)) return `admitted ${chosen}`;
  const hinted = isOpen(hint) ? hint : undefined;
  if (current !== undefined) {
    const goesOn = isOpen(current) && (hinted === undefined || hinted === current);
    return goesOn ? `admitted ${current}` : `choose instead of ${current}, asked for ${hinted ?? "none"}`;
  }
  if (hinted !== undefined) return `admitted ${hinted}`;
  if (isOpen(remembered)) return `admitted ${remembered}`;
  return open.length === 1 ? `admitted ${open[0]}` : "choose";
}

function inOneWord(admission: ReturnType<typeof ask>): string {
  if (admission.kind === "admitted") return `admitted ${admission.membership.profile.id}`;
  if (admission.kind !== "choose") return admission.kind;
  const { current, hinted } = admission;
  return current === null ? "choose" : `choose instead of ${current}, asked for ${hinted ?? "none"}`;
}

describe("access policy and admission, case by case", () => {
  it("refuses for some reason exactly whom the plain wording keeps out", () => {
    for (const policy of everyPolicy) {
      for (const traits of everyTraits) {
        const reasons = refusals(policy, member(asProfileId("p1"), traits), NOW);
        assert.equal(
          reasons.length === 0,
          opens(policy, traits, NOW),
          JSON.stringify({ policy, traits, reasons }),
        );
      }
    }
  });

  it("decides every combination of profiles and wishes as the plain wording does", () => {
    const good: Traits = {
      kind: "customer",
      plan: { status: "active", expiresAt: NOW + 1 },
      roles: ["buyer"],
      enabled: true,
      organizationEnabled: true,
    };
    const variants: Traits[] = [
      good,
      { ...good, kind: "partner" },
      { ...good, plan: { status: "active", expiresAt: NOW } },
      { ...good, roles: [] },
      { ...good, enabled: false },
      { ...good, organizationEnabled: false },
    ];
    const policies: AccessPolicy[] = [
      { kinds: ["customer"], planRequired: true, roles: ["buyer"] },
      { kinds: ["customer", "partner"], planRequired: false, roles: [] },
    ];
    const ids = [undefined, ...["p1", "p2", "p3", "nobody"].map(asProfileId)];
    const sets: Traits[][] = [[]];
    for (const one of variants) {
      sets.push([one]);
      for (const two of variants) {
        sets.push([one, two]);
        for (const three of [good, { ...good, enabled: false }]) sets.push([one, two, three]);
      }
    }
    let cases = 0;
    for (const set of sets) {
      const people = set.map((traits, index): [ProfileId, Traits] => [asProfileId(`p${index + 1}`), traits]);
      const memberships = people.map(([id, traits]) => member(id, traits));
      for (const policy of policies) {
        for (const wishes of combinations(ids)) {
          const decided = inOneWord(ask(memberships, policy, wishes));
          const wanted = expected(people, policy, wishes);
          if (decided !== wanted) assert.equal(decided, wanted, JSON.stringify({ people, policy, wishes }));
          cases += 1;
        }
      }
    }
    assert.equal(cases, 115 * 2 * 625);
  });
});

function combinations(ids: (ProfileId | undefined)[]): Wishes[] {
  return ids.flatMap((chosen) =>
    ids.flatMap((hint) =>
      ids.flatMap((current) => ids.map((remembered): Wishes => ({ chosen, hint, current, remembered }))),
    ),
  );
}

const roleArb = fc.constantFrom("buyer", "seller", "Buyer", "", "__proto__", "søger");
const policyArb: fc.Arbitrary<AccessPolicy> = fc.record({
  kinds: fc.uniqueArray(fc.constantFrom(...kinds)),
  planRequired: fc.boolean(),
  roles: fc.uniqueArray(roleArb),
});
const traitsArb: fc.Arbitrary<Traits> = fc.record({
  kind: fc.constantFrom(...kinds),
  plan: fc.record({
    status: fc.constantFrom("active" as const, "active" as const, "suspended" as const, "none" as const),
    expiresAt: fc.option(fc.integer({ min: -3, max: 3 }).map((away) => NOW + away)),
  }),
  roles: fc.uniqueArray(roleArb),
  enabled: fc.boolean(),
  organizationEnabled: fc.boolean(),
});
const wishArb = fc.constantFrom(undefined, ...["p1", "p2", "p3", "p4", "nobody", ""].map(asProfileId));
const wishesArb: fc.Arbitrary<Wishes> = fc.record({
  chosen: wishArb,
  hint: wishArb,
  current: wishArb,
  remembered: wishArb,
});
const peopleArb = fc.array(traitsArb, { maxLength: 4 });
const permutationArb = fc.integer({ min: 0, max: 1000 });

function membersOf(people: Traits[]): Membership[] {
  return people.map((traits, index) => member(asProfileId(`p${index + 1}`), traits));
}

/** The same things in another order, by a number that says which. */
function reordered<T>(things: T[], by: number): T[] {
  const turned = [
    ...things.slice(by % Math.max(1, things.length)),
    ...things.slice(0, by % Math.max(1, things.length)),
  ];
  return by % 2 === 0 ? turned : turned.reverse();
}

function holds<Values>(name: string, property: fc.IProperty<Values>): void {
  it(name, (test) => {
    test.diagnostic(`seed ${seed}`);
    fc.assert(property, { seed, numRuns: 2000 });
  });
}

describe("laws of the access policy", () => {
  holds(
    "is monotone: a policy that asks for less and a membership that has more never shut out who was admitted",
    fc.property(policyArb, traitsArb, fc.constantFrom(...kinds), roleArb, (policy, traits, kind, role) => {
      if (refusals(policy, member(asProfileId("p1"), traits), NOW).length > 0) return;
      const weaker: AccessPolicy[] = [
        { ...policy, kinds: [...policy.kinds, kind] },
        { ...policy, planRequired: false },
        { ...policy, roles: [] },
        ...(policy.roles.length > 0 ? [{ ...policy, roles: [...policy.roles, role] }] : []),
      ];
      for (const other of weaker)
        assert.deepEqual(refusals(other, member(asProfileId("p1"), traits), NOW), []);
      const stronger: Traits[] = [
        { ...traits, roles: [...traits.roles, role] },
        { ...traits, enabled: true, organizationEnabled: true },
        { ...traits, plan: { status: "active", expiresAt: null } },
      ];
      for (const other of stronger)
        assert.deepEqual(refusals(policy, member(asProfileId("p1"), other), NOW), []);
    }),
  );

  holds(
    "admits nobody by the passing of time alone",
    fc.property(policyArb, traitsArb, fc.nat(5), (policy, traits, later) => {
      if (refusals(policy, member(asProfileId("p1"), traits), NOW).length === 0) return;
      assert.notDeepEqual(refusals(policy, member(asProfileId("p1"), traits), NOW + later), []);
    }),
  );

  holds(
    "doesn't depend on the order of anything",
    fc.property(policyArb, peopleArb, wishesArb, permutationArb, (policy, people, wishes, by) => {
      const shuffledPolicy = {
        ...policy,
        kinds: reordered(policy.kinds, by),
        roles: reordered(policy.roles, by),
      };
      const shuffled = membersOf(people).map(({ profile, organization }) => ({
        profile: { ...profile, roles: reordered(profile.roles, by) },
        organization,
      }));
      const one = ask(membersOf(people), policy, wishes);
      const other = ask(reordered(shuffled, by), shuffledPolicy, wishes);
      assert.equal(inOneWord(one), inOneWord(other));
    }),
  );

  holds(
    "lets no hint, choice, selection or memory admit what isn't admissible",
    fc.property(policyArb, peopleArb, wishesArb, (policy, people, wishes) => {
      const none: Wishes = { chosen: undefined, hint: undefined, current: undefined, remembered: undefined };
      const wished = ask(membersOf(people), policy, wishes);
      const unwished = ask(membersOf(people), policy, none);
      if (wished.kind === "admitted") assert.deepEqual(refusals(policy, wished.membership, NOW), []);
      // Wishes pick among what is open; they neither open nor shut.
      assert.equal(
        ["unlinked", "not_admitted"].includes(wished.kind),
        ["unlinked", "not_admitted"].includes(unwished.kind),
      );
      if (["unlinked", "not_admitted"].includes(wished.kind)) assert.equal(wished.kind, unwished.kind);
    }),
  );

  holds(
    "never leaves a profile in use for another without the person's choice, and keeps to a choice " +
      "whatever else is wished",
    fc.property(policyArb, peopleArb, wishesArb, (policy, people, wishes) => {
      const decided = ask(membersOf(people), policy, wishes);
      if (decided.kind !== "admitted") return;
      const { id } = decided.membership.profile;
      if (wishes.current !== undefined && id !== wishes.current) assert.equal(id, wishes.chosen);
      // The answer of the chooser is admitted, though the request still names its hint.
      const choices = ask(membersOf(people), policy, { ...wishes, chosen: undefined });
      if (choices.kind !== "admitted" && choices.kind !== "choose") return;
      for (const { profile } of choices.choices) {
        const answered = ask(membersOf(people), policy, { ...wishes, chosen: profile.id });
        assert.equal(inOneWord(answered), `admitted ${profile.id}`);
      }
    }),
  );
});
