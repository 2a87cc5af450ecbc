/**
 * The simulator says what a sign-in would come to. Every cell of the policy matrix (kind × plan × role ×
 * profile × organization) at three portals: the simulator, a sign-in over HTTP, and the rules as an
 * administrator would say them agree.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { operations } from "../../src/admin/definitions/operations.ts";
import { createOfflineAdministration } from "../../src/admin/offline-administration.ts";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import type { OrganizationKind, ServicePlan } from "../../src/domain/records.ts";
import { bindTo } from "../support/attack-fixture.ts";
import {
  type Liaison,
  people,
  portalSecret,
  register,
  signIn,
  startLiaison,
  type TestPerson,
} from "../support/liaison.ts";
import { TestPortal } from "../support/portal.ts";
import type { UserAgent } from "../support/user-agent.ts";

type PlanState = "active" | "active but expired" | "suspended" | "none";

interface Cell {
  kind: OrganizationKind;
  plan: PlanState;
  hasRole: boolean;
  profileOn: boolean;
  organizationOn: boolean;
}

interface Simulated {
  outcome: "admitted" | "choose" | "not_admitted" | "unlinked";
  account_id: string | null;
  profiles: {
    profile: { id: string };
    admitted: boolean;
    rules: { verdict: string; reason: string | null; fix: string | null }[];
  }[];
}

const onOff = [true, false];
const kinds: OrganizationKind[] = ["customer", "partner", "operator"];
const planStates: PlanState[] = ["active", "active but expired", "suspended", "none"];
const cells: Cell[] = kinds.flatMap((kind) =>
  planStates.flatMap((plan) =>
    onOff.flatMap((hasRole) =>
      onOff.flatMap((profileOn) =>
        onOff.map((organizationOn) => ({ kind, plan, hasRole, profileOn, organizationOn })),
      ),
    ),
  ),
);

const planReasons: Record<PlanState, string[]> = {
  active: [],
  "active but expired": ["plan_expired"],
  suspended: ["plan_suspended"],
  none: ["plan_missing"],
};

/** What each portal asks for, in an administrator's words: the reasons why a cell isn't admitted. */
const rulesOf: Record<string, (cell: Cell) => string[]> = {
  customersource: ({ kind, plan }) => (kind === "customer" ? planReasons[plan] : ["kind_not_admitted"]),
  partnersource: ({ kind }) => (kind === "partner" ? [] : ["kind_not_admitted"]),
  auditsource: ({ hasRole }) => (hasRole ? [] : ["role_missing"]),
};

function reasonsAgainst(portal: string, cell: Cell): string[] {
  return [
    ...(cell.profileOn ? [] : ["profile_disabled"]),
    ...(cell.organizationOn ? [] : ["organization_disabled"]),
    ...(rulesOf[portal]?.(cell) ?? []),
  ].sort();
}

const nameOf = ({ kind, plan, hasRole, profileOn, organizationOn }: Cell) =>
  `${kind}, plan ${plan}, ${hasRole ? "with" : "without"} the role, profile ${profileOn ? "on" : "off"}, ` +
  `organization ${organizationOn ? "on" : "off"}`;

const crowd = cells.map((_cell, index): TestPerson => {
  const username = `cell-${index}`;
  return {
    username,
    password: `${username}-password`,
    name: username,
    email: `${username}@consumer.example`,
  };
});

describe("the simulator and a sign-in", () => {
  let liaison: Liaison;
  let portals: TestPortal[];
  let simulate: (query: Record<string, string>) => Promise<Simulated>;

  before(async () => {
    const callback = "http://localhost:9/auditsource/callback";
    liaison = await startLiaison({
      crowd,
      config: (base) => {
        const third = {
          id: "auditsource",
          name: "AuditSource",
          client_secret: portalSecret,
          home_url: "http://localhost:9/",
          redirect_uris: [callback],
          access_policy: { kinds, roles: ["auditor", "chief auditor"] },
        };
        return { ...base, portals: [...(base["portals"] as object[]), third] };
      },
    });
    const auditSource = await TestPortal.connect({
      issuer: liaison.issuer,
      clientId: "auditsource",
      clientSecret: portalSecret,
      redirectUri: callback,
    });
    portals = [liaison.customerSource, liaison.partnerSource, auditSource];

    const { service, principal } = await createOfflineAdministration(
      { ...liaison, checksOutputs: true },
      "test",
    );
    const { output } = await service.call(operations.apiKeys.create, principal, {
      name: "why",
      scopes: ["admin:read"],
    });
    simulate = async (query) => {
      const address = `${liaison.issuer}/admin/api/v1/simulation?${new URLSearchParams(query)}`;
      const answer = await fetch(address, { headers: { authorization: `Bearer ${output.key}` } });
      assert.equal(answer.status, 200, await answer.clone().text());
      return (await answer.json()) as Simulated;
    };
  });
  after(() => liaison.close());

  /** Registers and binds a profile, and makes it and its organization what the cell says. */
  async function become(cell: Cell, index: number, person: TestPerson): Promise<string> {
    const now = liaison.clock.now();
    const plans: Record<PlanState, ServicePlan> = {
      active: { status: "active", expiresAt: now + 3_600_000 },
      "active but expired": { status: "active", expiresAt: now - 1 },
      suspended: { status: "suspended", expiresAt: null },
      none: { status: "none", expiresAt: null },
    };
    const organization = { id: asOrganizationId(`of-${index}`), kind: cell.kind, plan: plans[cell.plan] };
    const profile = {
      id: asProfileId(`p-${index}`),
      email: person.email,
      roles: cell.hasRole ? ["user", "auditor"] : ["user"],
    };
    await register(liaison, organization, [profile]);
    const accountId = await bindTo(liaison, person, profile.id);
    if (!cell.profileOn || !cell.organizationOn) {
      await register(liaison, { ...organization, enabled: cell.organizationOn }, [
        { ...profile, enabled: cell.profileOn },
      ]);
    }
    return accountId;
  }

  for (const [index, cell] of cells.entries()) {
    it(nameOf(cell), async () => {
      const person = crowd[index] ?? assert.fail();
      const accountId = await become(cell, index, person);
      const browser = liaison.browser();
      for (const portal of portals) {
        const { clientId } = portal.options;
        const expected = reasonsAgainst(clientId, cell);

        const outcome = expected.length === 0 ? "admitted" : "not_admitted";
        assert.equal(await outcomeOf(browser, portal, person), outcome, `a sign-in at ${clientId}`);

        const byProfile = await simulate({ client_id: clientId, profile_id: `p-${index}` });
        assert.equal(byProfile.outcome, outcome, `the simulator of ${clientId}`);
        assert.equal(byProfile.account_id, accountId);
        const [judged, ...others] = byProfile.profiles;
        assert.deepEqual(others, []);
        assert.equal(judged?.admitted, outcome === "admitted");
        const failed = judged?.rules.filter(({ verdict }) => verdict === "failed") ?? [];
        assert.deepEqual(failed.map(({ reason }) => reason).sort(), expected, clientId);
        assert.ok(
          failed.every(({ fix }) => fix !== null && fix !== ""),
          "it says what would help",
        );
        assert.deepEqual(await simulate({ client_id: clientId, account_id: accountId }), byProfile);
      }
    });
  }

  it("agree on a person who has nothing linked, and on one who has to choose", async () => {
    const profiles = ["p-one", "p-two", "p-off"].map((id) => ({ id, email: people.ann.email }));
    await register(liaison, { id: asOrganizationId("two") }, profiles);
    const unlinked = await simulate({ client_id: "customersource", profile_id: "p-one" });
    assert.deepEqual([unlinked.outcome, unlinked.account_id], ["unlinked", null]);
    assert.deepEqual(
      unlinked.profiles.map(({ profile, admitted }) => [profile.id, admitted]),
      [["p-one", true]],
    );
    assert.equal(await outcomeOf(liaison.browser(), liaison.customerSource, people.ann), "unlinked");

    const accountId = await bindTo(liaison, people.ann, "p-one", "p-two", "p-off");
    await register(liaison, { id: asOrganizationId("two") }, [
      { id: "p-off", email: people.ann.email, enabled: false },
    ]);
    const query = { client_id: "customersource", account_id: accountId };
    const choosing = await simulate(query);
    assert.equal(choosing.outcome, "choose");
    assert.deepEqual(
      new Map(choosing.profiles.map(({ profile, admitted }) => [profile.id, admitted])),
      new Map([
        ["p-off", false],
        ["p-one", true],
        ["p-two", true],
      ]),
    );
    assert.equal(await outcomeOf(liaison.browser(), liaison.customerSource, people.ann), "choose");
  });

  it("agree before a plan ends and from its last instant on", async () => {
    const endsAt = liaison.clock.now() + 600_000;
    await register(liaison, { id: asOrganizationId("ends"), plan: { status: "active", expiresAt: endsAt } }, [
      { id: "p-ends", email: people.eve.email },
    ]);
    await bindTo(liaison, people.eve, "p-ends");
    const query = { client_id: "customersource", profile_id: "p-ends" };
    const both = async () => [
      (await simulate(query)).outcome,
      await outcomeOf(liaison.browser(), liaison.customerSource, people.eve),
    ];
    assert.deepEqual(await both(), ["admitted", "admitted"]);
    await register(
      liaison,
      { id: asOrganizationId("ends"), plan: { status: "active", expiresAt: liaison.clock.now() } },
      [],
    );
    assert.deepEqual(await both(), ["not_admitted", "not_admitted"]);
  });
});

/** What a sign-in at a portal comes to, in the simulator's words. */
async function outcomeOf(browser: UserAgent, portal: TestPortal, person: TestPerson): Promise<string> {
  const page = await signIn(browser, await portal.start(), person);
  if (page.url.searchParams.has("code")) return "admitted";
  return headings.find(([heading]) => heading.test(page.heading))?.[1] ?? page.heading;
}

const headings: [RegExp, Simulated["outcome"]][] = [
  [/^Your profiles? (doesn|don).t open /, "not_admitted"],
  [/^Which profile do you want to use\?$/, "choose"],
  [/^Enter the email address registered with your organization$/, "unlinked"],
];
