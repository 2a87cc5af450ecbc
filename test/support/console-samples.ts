/**
 * Every page of the administration filled with data, for the tests that look at all of them. A page without
 * samples doesn't compile. Beside ordinary names each is made with very long ones, which its tables have to
 * bear.
 */

import {
  clientFields,
  invitationFields,
  keyFields,
  profileFields,
  roleFields,
} from "../../src/ui/console/forms.ts";
import { organizationFields } from "../../src/ui/console/organization-fields.ts";
import { consolePages } from "../../src/ui/console.ts";
import { messages } from "../../src/ui/messages.ts";
import { clientsOf, settingsOf } from "./console-client-records.ts";
import { confirmations, consoleForm, formSamples, type Scene } from "./console-form-samples.ts";
import {
  accountsOf,
  consoleFrame,
  eventsOf,
  figuresOf,
  grantsOf,
  inquiriesOf,
  LONG_ID,
  mailsOf,
  namesOf,
  organizationsOf,
  profilesOf,
  SOME_TIME,
  sessionsOf,
  timelineOf,
  verificationsOf,
} from "./console-records.ts";
import { type Flavour, flavours } from "./page-flavours.ts";

export type ConsolePageName = keyof typeof consolePages;

const NOW = Date.parse(SOME_TIME);

function first<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new TypeError("there is a sample");
  return item;
}

const listing = <Item>(items: Item[]) => ({ items, nextUrl: "/admin/next?cursor=abc", search: "" });
const nothingFound = { items: [], nextUrl: null, search: "xyzzy" };
const nothingYet = { items: [], nextUrl: null, search: "" };

const samples: { [Name in ConsolePageName]: (fixture: Scene) => Record<string, string> } = {
  overview: ({ site, frame, data }) => {
    const view: Parameters<typeof consolePages.overview>[2] = {
      range: "24h",
      metrics: figuresOf(data),
      attention: {
        plans: organizationsOf(data).filter(({ plan }) => plan.last_day !== null),
        api_keys: [{ id: "key-1", name: data.who, expires_at: SOME_TIME }],
        previous_secrets: [{ client_id: data.portal.id, until: SOME_TIME, last_used_at: SOME_TIME }],
        mails: { failed: 1, bounced: 2, held: 100 },
      },
      upstreams: new Map([[data.upstream.id, data.upstream.name]]),
    };
    const quiet = {
      plans: [],
      api_keys: [],
      previous_secrets: [],
      mails: { failed: 0, bounced: 0, held: 0 },
    };
    return {
      plain: consolePages.overview(site, frame, view),
      quiet: consolePages.overview(site, frame, { ...view, attention: quiet }),
    };
  },
  clientList: ({ site, frame, data }) => ({
    plain: consolePages.clientList(site, frame, { items: clientsOf(data), mayWrite: true }),
    empty: consolePages.clientList(site, frame, { items: [], mayWrite: false }),
  }),
  clientPreset: ({ site, frame }) => ({ plain: consolePages.clientPreset(site, frame) }),
  clientPage: ({ site, frame, data }) => {
    const view = {
      client: first(clientsOf(data)),
      settings: settingsOf(data),
      secret: null,
      isNew: false,
      startUrl: "https://portal1.example/login",
      check: null,
      mayWrite: true,
    };
    const check = { uri: "https://portal1.example/x", nearest: "https://portal1.example/x/" } as const;
    return {
      plain: consolePages.clientPage(site, frame, view),
      rotated: consolePages.clientPage(site, frame, {
        ...view,
        secret: { value: "Zm9yZ2Vk".repeat(8), because: "rotated" },
      }),
      checked: consolePages.clientPage(site, frame, {
        ...view,
        check: { ...check, result: "differs", how: "slash" },
      }),
      fromConfig: consolePages.clientPage(site, frame, {
        ...view,
        client: { ...view.client, managed_by: "config" },
        check: { uri: "https://portal1.example/x", result: "unknown", nearest: null, how: null },
      }),
    };
  },
  organizationList: ({ site, frame, data }) => ({
    plain: consolePages.organizationList(site, frame, {
      ...listing(organizationsOf(data)),
      mayWrite: true,
      now: NOW,
    }),
    nothingFound: consolePages.organizationList(site, frame, { ...nothingFound, mayWrite: true, now: NOW }),
  }),
  organizationPage: ({ site, frame, data }) => {
    const view = { organization: first(organizationsOf(data)), mayWrite: true, now: NOW };
    const added = messages(site.locale).text("admin.done.organization_added");
    return {
      plain: consolePages.organizationPage(site, frame, { ...view, people: listing(profilesOf(data)) }),
      added: consolePages.organizationPage(site, { ...frame, done: added }, { ...view, people: nothingYet }),
    };
  },
  peopleList: ({ site, frame, data }) => ({
    plain: consolePages.peopleList(site, frame, listing(profilesOf(data))),
    empty: consolePages.peopleList(site, frame, nothingYet),
  }),
  personPage: ({ site, frame, data }) => {
    const may = { edit: true, unlink: true, endSessions: true };
    const view = { inquiries: inquiriesOf(data), grants: grantsOf(data), may };
    const portals = data.site.portals.map(({ name }) => name).join(", ");
    const done = messages(site.locale).text("admin.done.person_added", { portals });
    const unlinked = { ...first(profilesOf(data)), account_id: null, linked_at: null };
    return {
      plain: consolePages.personPage(site, frame, { ...view, profile: first(profilesOf(data)) }),
      added: consolePages.personPage(
        site,
        { ...frame, done },
        { profile: unlinked, inquiries: [], grants: [], may },
      ),
    };
  },
  accountList: ({ site, frame, data }) => ({
    plain: consolePages.accountList(site, frame, listing(accountsOf(data))),
    empty: consolePages.accountList(site, frame, nothingYet),
  }),
  accountPage: ({ site, frame, data }) => {
    const account = { ...first(accountsOf(data)), profiles: profilesOf(data) };
    const view = { account, inquiries: inquiriesOf(data), sessions: sessionsOf(data), mayEnd: true };
    const done = messages(site.locale).text("admin.done.session_ended");
    return {
      plain: consolePages.accountPage(site, frame, { ...view, nextUrl: "/admin/accounts/1?cursor=abc" }),
      ended: consolePages.accountPage(site, { ...frame, done }, { ...view, sessions: [], nextUrl: null }),
    };
  },
  linkList: ({ site, frame, data }) => ({
    plain: consolePages.linkList(site, frame, {
      items: inquiriesOf(data),
      email: "",
      nextUrl: "/admin/links?before=abc",
      fault: null,
    }),
    wrong: consolePages.linkList(site, frame, {
      items: [],
      email: data.who,
      nextUrl: null,
      fault: "write one address, such as anna@contoso.example",
    }),
  }),
  linkPage: ({ site, frame, data }) => ({
    plain: consolePages.linkPage(site, frame, { ...timelineOf(data), names: namesOf(data) }),
  }),
  mailList: (fixture) => {
    const { site, frame, data } = fixture;
    const act = (id: string, word: string) => consoleForm(fixture, `mail/${id}/${word}`);
    const done = messages(site.locale).text("admin.done.mail_queued");
    return {
      plain: consolePages.mailList(site, frame, {
        ...listing(mailsOf(data)),
        state: null,
        mayAct: true,
        act,
      }),
      empty: consolePages.mailList(
        site,
        { ...frame, done },
        { ...nothingYet, state: "failed", mayAct: true, act },
      ),
    };
  },
  why: ({ site, frame, data }) => {
    const profile = first(profilesOf(data));
    const asked = { search: "", found: [], profile, clientId: data.portal.id, result: null, fault: null };
    const rules = [
      { rule: "profile_enabled", verdict: "passed", reason: null, fix: null },
      { rule: "kind", verdict: "not_needed", reason: null, fix: null },
      { rule: "plan", verdict: "failed", reason: "plan_expired", fix: `Extend the plan of ${data.who}.` },
      { rule: "role", verdict: "not_reached", reason: null, fix: null },
    ] as const;
    const judged = [{ profile, admitted: false, rules: [...rules] }];
    return {
      choose: consolePages.why(site, frame, {
        ...asked,
        profile: null,
        search: data.who,
        found: profilesOf(data),
      }),
      refused: consolePages.why(site, frame, {
        ...asked,
        result: { outcome: "not_admitted", account_id: null, profiles: judged },
      }),
      wrong: consolePages.why(site, frame, { ...asked, profile: null, fault: "There is no such portal." }),
    };
  },
  administrators: ({ site, frame, data }) => ({
    plain: consolePages.administrators(site, frame, {
      items: profilesOf(data),
      mayWrite: true,
      invited: null,
    }),
    invited: consolePages.administrators(site, frame, {
      items: profilesOf(data),
      mayWrite: true,
      invited: data.address,
    }),
  }),
  keys: ({ site, frame, data }) => {
    const key = {
      id: "key-1",
      name: data.who,
      scopes: ["admin:read" as const, "directory:write" as const],
      created_by: `admin:${LONG_ID}`,
      created_at: SOME_TIME,
      expires_at: SOME_TIME,
      last_used_at: null,
    };
    const signing = [
      { kid: LONG_ID, alg: "RS256" },
      { kid: "k2", alg: "ES256" },
    ];
    const removed = messages(site.locale).text("admin.done.key_removed");
    const made = { name: data.who, key: `lk_${"Zm9yZ2Vk".repeat(8)}` };
    return {
      plain: consolePages.keys(site, frame, { keys: [key], signing, mayWrite: true, made }),
      empty: consolePages.keys(
        site,
        { ...frame, done: removed },
        { keys: [], signing, mayWrite: true, made: null },
      ),
    };
  },
  audit: (fixture) => {
    const { site, frame, data } = fixture;
    const view = {
      items: eventsOf(data),
      nextUrl: "/admin/audit?cursor=abc",
      filter: { action: "", actor: "", from: "", to: "" },
      verify: consoleForm(fixture, "audit/verify"),
      exportUrl: (format: string) => `/admin/audit/export.${format}`,
      fault: null,
      names: namesOf(data),
    };
    return {
      plain: consolePages.audit(site, frame, view),
      wrong: consolePages.audit(site, frame, {
        ...view,
        items: [],
        nextUrl: null,
        fault: messages(site.locale).text("admin.audit.dates"),
      }),
    };
  },
  verifications: (fixture) => {
    const { site, frame, data } = fixture;
    const verify = consoleForm(fixture, "audit/verify");
    const all = verificationsOf();
    const shown = all.map((current): [string, string] => {
      const isOpen = current.state === "running";
      const reloads = isOpen ? { seconds: 5, stopUrl: "/admin/audit/verifications/v-2?still" } : null;
      const view = { current, others: all, verify, reloads, names: namesOf(data) };
      return [current.id, consolePages.verifications(site, frame, view)];
    });
    const none = { current: null, others: [], verify, reloads: null, names: namesOf(data) };
    return { none: consolePages.verifications(site, frame, none), ...Object.fromEntries(shown) };
  },
  formPage: (fixture) => {
    const { site, data } = fixture;
    const t = messages(site.locale);
    const page = {
      heading: t.text("admin.people.newTitle", { organization: data.who }),
      submit: t.text("admin.save"),
    };
    const values = {
      name: [data.who],
      email: [data.address],
      redirect_uris: [`https://portal.example/${LONG_ID}`],
    };
    return {
      ...formSamples(fixture, "client", page, clientFields(site, "web", true), values),
      ...formSamples(fixture, "machine", page, clientFields(site, "machine", true), values),
      ...formSamples(fixture, "organization", page, organizationFields(site, false), values),
      ...formSamples(fixture, "profile", page, profileFields(site, false), values),
      ...formSamples(fixture, "invitation", page, invitationFields(site), values),
      ...formSamples(fixture, "role", page, roleFields(site), { role: ["owner"] }),
      ...formSamples(fixture, "key", page, keyFields(site), values),
    };
  },
  confirmPage: confirmations,
  refusalPage: ({ site, frame }) => {
    const t = messages(site.locale);
    const back = { url: "/admin", label: t.text("admin.section.overview") };
    const heading = t.text("admin.missing.title");
    const gone = { url: "/admin/accounts", label: t.text("admin.section.accounts") };
    return {
      plain: consolePages.refusalPage(site, frame, {
        section: null,
        heading,
        message: t.text("admin.missing.page"),
        back,
      }),
      gone: consolePages.refusalPage(site, frame, {
        section: "accounts",
        heading,
        message: t.text("admin.endSessionGone"),
        back: gone,
      }),
    };
  },
  notAdministrator: ({ site, data: { memberships } }) => ({
    plain: consolePages.notAdministrator(site, {
      profileName: memberships[0].profileName,
      organizationName: memberships[0].organizationName,
      anotherUrl: "/admin/another",
    }),
  }),
  consoleSignedOut: ({ site, data }) => ({
    plain: consolePages.consoleSignedOut(site, {
      staysKnown: { upstream: data.upstream.name, portals: data.site.portals.map(({ name }) => name) },
    }),
  }),
  consoleLost: ({ site }) => ({ plain: consolePages.consoleLost(site) }),
  apiPage: ({ site }) => {
    const field = {
      name: "id",
      type: "string",
      where: "path",
      required: true,
      description: "Yours to choose.",
    } as const;
    const operation = {
      name: "getProfile",
      method: "GET",
      path: `/profiles/{id}/${"very-long/".repeat(8)}`,
      summary: "Show a profile.",
      scope: "admin:read",
      fields: [
        field,
        { ...field, name: "If-Match", where: "header" as const, required: false, description: "" },
      ],
    };
    const base = "https://signin.contoso.example/auth/admin/api/v1";
    return { plain: consolePages.apiPage(site, { base, version: "1", operations: [operation] }) };
  },
};

export const consolePageNames = Object.keys(consolePages) as ConsolePageName[];

/** Every page of the administration in every variant, with ordinary and with long names. */
export function consoleSamples(): {
  page: ConsolePageName;
  flavour: string;
  variant: string;
  html: string;
}[] {
  return consolePageNames.flatMap((page) =>
    (["ordinary", "long", "rightToLeft"] as const).flatMap((flavour) => {
      const data: Flavour = flavours[flavour];
      const made = Object.entries(samples[page]({ data, site: data.site, frame: consoleFrame(data) }));
      const chosen = flavour === "rightToLeft" ? made.slice(0, 1) : made;
      return chosen.map(([variant, html]) => ({ page, flavour, variant, html }));
    }),
  );
}
