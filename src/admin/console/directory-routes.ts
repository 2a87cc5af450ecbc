/** The pages of organizations and people. */

import { LiaisonError } from "../../errors.ts";
import { organizationFields, profileFields } from "../../ui/console/forms.ts";
import { clientName } from "../../ui/console/names.ts";
import type { ConsoleFrame, FormState, OrganizationView, ProfileView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Changes, Typed } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { carryOutEdit, type Edit, showEdit } from "./edits.ts";
import {
  attempt,
  isTicked,
  linesOf,
  listQuery,
  newOnce,
  nextUrl,
  one,
  type Shell,
  type Visit,
} from "./shell.ts";

export interface DirectoryRoutesParts {
  now(): number;
  onChange(): void;
}

const organizationPath = (id: string) => `/organizations/${encodeURIComponent(id)}`;
const personPath = (id: string) => `/people/${encodeURIComponent(id)}`;

export function directoryRoutes(shell: Shell, parts: DirectoryRoutesParts): void {
  organizationRoutes(shell, parts);
  peopleRoutes(shell, parts);
}

/** Whether an administrator may edit what belongs to an organization. */
function mayEdit(visit: Visit, { kind }: Pick<OrganizationView, "kind">): boolean {
  return visit.may("directory:write") && (kind !== "operator" || visit.may("admins:write"));
}

const planOf = (values: Record<string, string[]>) => ({
  status: one(values, "plan_status") ?? "",
  last_day: one(values, "plan_last_day") ?? null,
});

const typedOrganization = (
  values: Record<string, string[]>,
): Typed<typeof operations.organizations.create.input> => ({
  name: one(values, "name") ?? "",
  account_number: one(values, "account_number") ?? "",
  kind: one(values, "kind") ?? "",
  plan: planOf(values),
});

function organizationValues({ name, account_number, kind, plan, enabled }: OrganizationView) {
  return {
    name: [name],
    account_number: [account_number],
    kind: [kind],
    plan_status: [plan.status],
    plan_last_day: plan.last_day === null ? [] : [plan.last_day],
    enabled: [String(enabled)],
  };
}

/** Says where a person links who was just added, which nobody tells them. */
async function personAdded(visit: Visit, { kind }: OrganizationView): Promise<ConsoleFrame> {
  const t = messages(visit.site.locale);
  const { items } = await visit.call(operations.clients.list, {});
  const portals = items
    .filter(({ preset, access_policy: policy }) => preset !== "machine" && policy.kinds.includes(kind))
    .map(({ name }) => name);
  const done =
    portals.length === 0
      ? t.text("admin.done.person_added_nowhere")
      : t.text("admin.done.person_added", {
          portals: new Intl.ListFormat(visit.site.locale, { type: "disjunction" }).format(portals),
        });
  return { ...visit.frame, done };
}

const isEnabled = (values: Record<string, string[]>) => one(values, "enabled") !== "false";

function organizationRoutes(shell: Shell, { now, onChange }: DirectoryRoutesParts): void {
  function showForm(visit: Visit, state: FormState, known: OrganizationView | null, status = 200) {
    const t = messages(visit.site.locale);
    const page = {
      section: "organizations" as const,
      heading: t.text(known === null ? "admin.organizations.newTitle" : "admin.organizations.editTitle"),
      back:
        known === null
          ? { url: shell.url("/organizations"), label: t.text("admin.section.organizations") }
          : { url: shell.url(organizationPath(known.id)), label: known.name },
      submit: t.text(known === null ? "admin.organizations.submit" : "admin.save"),
    };
    const fields = organizationFields(visit.site, known === null);
    visit.send(consolePages.formPage(visit.site, visit.frame, page, state, fields), status);
  }

  shell.get("/organizations", "organizations", async (visit) => {
    const query = listQuery(visit);
    const { items, next_cursor } = await visit.call(operations.organizations.list, query);
    const next = nextUrl(visit, shell.url("/organizations"), next_cursor);
    const view = {
      items,
      nextUrl: next,
      search: query.q ?? "",
      mayWrite: visit.may("directory:write"),
      now: now(),
    };
    visit.send(consolePages.organizationList(visit.site, visit.frame, view));
  });

  shell.get("/organizations/new", "organizations", async (visit) => {
    const values = { kind: ["customer"], plan_status: ["active"] };
    showForm(visit, visit.fresh("/organizations/new", values, { once: newOnce() }), null);
  });

  shell.post("/organizations/new", "organizations", async (visit) => {
    const values = visit.values();
    const once = one(values, "once");
    const made = await attempt(
      visit.submit(operations.organizations.create, typedOrganization(values), { idempotencyKey: once }),
      (state, status) =>
        showForm(
          visit,
          visit.fresh("/organizations/new", values, { once: once ?? newOnce(), ...state }),
          null,
          status,
        ),
    );
    if (made !== undefined) visit.go(organizationPath(made.output.id), "organization_added");
  });

  shell.get("/organizations/:id", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const organization = await visit.call(operations.organizations.get, { id });
    const { cursor, limit } = listQuery(visit);
    const { items, next_cursor } = await visit.call(operations.profiles.list, {
      organization_id: id,
      limit,
      cursor,
    });
    const next = nextUrl(visit, shell.url(organizationPath(id)), next_cursor);
    const people = { items, nextUrl: next, search: "" };
    const view = { organization, people, mayWrite: mayEdit(visit, organization), now: now() };
    const frame =
      visit.query("done") === "person_added" ? await personAdded(visit, organization) : visit.frame;
    visit.send(consolePages.organizationPage(visit.site, frame, view));
  });

  const editOf = (
    visit: Visit,
    known: OrganizationView,
  ): Edit<OrganizationView, Changes<typeof operations.organizations.edit>> => ({
    action: `${organizationPath(known.id)}/edit`,
    valuesOf: organizationValues,
    typed: (values): Changes<typeof operations.organizations.edit> => ({
      ...typedOrganization(values),
      enabled: isEnabled(values),
    }),
    carryOut: (changes, ifMatch) =>
      visit.submit(operations.organizations.edit, { id: known.id, ...changes }, { ifMatch }),
    show: (state, status) => showForm(visit, state, known, status),
  });

  shell.get("/organizations/:id/edit", "organizations", async (visit) => {
    const read = await visit.read(operations.organizations.get, { id: visit.parameter("id") });
    showEdit(visit, editOf(visit, read.output), read);
  });

  shell.post("/organizations/:id/edit", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const known = await visit.call(operations.organizations.get, { id });
    const edited = await carryOutEdit(visit, editOf(visit, known), known);
    if (edited === undefined) return;
    onChange();
    visit.go(organizationPath(id), edited === known ? "unchanged" : "saved");
  });
}

function peopleRoutes(shell: Shell, { onChange }: DirectoryRoutesParts): void {
  const typed = (
    values: Record<string, string[]>,
  ): Omit<Typed<typeof operations.profiles.create.input>, "organization_id"> => ({
    name: one(values, "name") ?? "",
    email: one(values, "email") ?? "",
    roles: linesOf(values, "roles"),
  });

  function showNew(visit: Visit, organization: OrganizationView, state: FormState, status = 200) {
    const t = messages(visit.site.locale);
    const page = {
      section: "organizations" as const,
      heading: t.text("admin.people.newTitle", { organization: organization.name }),
      back: { url: shell.url(organizationPath(organization.id)), label: organization.name },
      submit: t.text("admin.people.submit"),
    };
    visit.send(
      consolePages.formPage(visit.site, visit.frame, page, state, profileFields(visit.site, true)),
      status,
    );
  }

  function showForm(visit: Visit, profile: ProfileView, state: FormState, status = 200) {
    const t = messages(visit.site.locale);
    const page = {
      section: "people" as const,
      heading: t.text("admin.people.editTitle"),
      back: { url: shell.url(personPath(profile.id)), label: profile.name },
      submit: t.text("admin.save"),
    };
    visit.send(
      consolePages.formPage(visit.site, visit.frame, page, state, profileFields(visit.site, false)),
      status,
    );
  }

  shell.get("/organizations/:id/people/new", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const organization = await visit.call(operations.organizations.get, { id });
    showNew(visit, organization, visit.fresh(`${organizationPath(id)}/people/new`, {}, { once: newOnce() }));
  });

  shell.post("/organizations/:id/people/new", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const organization = await visit.call(operations.organizations.get, { id });
    const values = visit.values();
    const once = one(values, "once");
    const made = await attempt(
      visit.submit(
        operations.profiles.create,
        { organization_id: id, ...typed(values) },
        { idempotencyKey: once },
      ),
      (state, status) =>
        showNew(
          visit,
          organization,
          visit.fresh(`${organizationPath(id)}/people/new`, values, { once: once ?? newOnce(), ...state }),
          status,
        ),
    );
    if (made !== undefined) visit.go(organizationPath(id), "person_added");
  });

  shell.get("/people", "people", async (visit) => {
    const query = listQuery(visit);
    const { items, next_cursor } = await visit.call(operations.profiles.list, query);
    const next = nextUrl(visit, shell.url("/people"), next_cursor);
    visit.send(
      consolePages.peopleList(visit.site, visit.frame, { items, nextUrl: next, search: query.q ?? "" }),
    );
  });

  shell.get("/people/:id", "people", async (visit) => {
    const id = visit.parameter("id");
    const profile = await visit.call(operations.profiles.get, { id });
    const inquiries = await visit.call(operations.inquiries.list, { profile_id: id, limit: 25 });
    const grants = await visit.call(operations.grants.list, { profile_id: id, limit: 25 });
    visit.send(
      consolePages.personPage(visit.site, visit.frame, {
        profile,
        inquiries: inquiries.items,
        grants: grants.items,
        may: {
          edit: mayEdit(visit, profile.organization),
          unlink:
            visit.may("links:write") &&
            (profile.organization.kind !== "operator" || visit.may("admins:write")),
          endSessions: visit.may("sessions:write"),
        },
      }),
    );
  });

  shell.get("/people/:id/end/:grant", "people", async (visit) => {
    const id = visit.parameter("id");
    const t = messages(visit.site.locale);
    const { name } = await visit.call(operations.profiles.get, { id });
    const grants = await visit.call(operations.grants.list, { profile_id: id, limit: 200 });
    const grant = grants.items.find((one) => one.id === visit.parameter("grant"));
    if (grant === undefined) throw new LiaisonError("not_found", t.text("admin.endSignInGone"));
    const portal = clientName(visit.site, grant.client_id);
    const page = {
      section: "people" as const,
      heading: t.text("admin.endSignInTitle", { profile: name, portal }),
      back: { url: shell.url(personPath(id)), label: name },
      submit: t.text("admin.endSignInSubmit"),
      form: visit.form(`${personPath(id)}/end/${encodeURIComponent(grant.id)}`),
      consequences: [t.text("admin.endsTokens"), t.text("admin.endSignInOthers")],
    };
    visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
  });

  shell.post("/people/:id/end/:grant", "people", async (visit) => {
    await visit.call(operations.grants.revoke, { id: visit.parameter("grant") });
    onChange();
    visit.go(personPath(visit.parameter("id")), "sign_in_ended");
  });

  const editOf = (
    visit: Visit,
    known: ProfileView,
  ): Edit<ProfileView, Changes<typeof operations.profiles.edit>> => ({
    action: `${personPath(known.id)}/edit`,
    valuesOf: ({ name, email, roles, enabled }) => ({
      name: [name],
      email: [email],
      roles,
      enabled: [String(enabled)],
      another_person: [],
    }),
    typed: (values): Changes<typeof operations.profiles.edit> => ({
      ...typed(values),
      enabled: isEnabled(values),
      another_person: isTicked(values, "another_person"),
    }),
    carryOut: (changes, ifMatch) =>
      visit.submit(operations.profiles.edit, { id: known.id, ...changes }, { ifMatch }),
    show: (state, status) => showForm(visit, known, state, status),
  });

  shell.get("/people/:id/edit", "people", async (visit) => {
    const read = await visit.read(operations.profiles.get, { id: visit.parameter("id") });
    showEdit(visit, editOf(visit, read.output), read);
  });

  shell.post("/people/:id/edit", "people", async (visit) => {
    const id = visit.parameter("id");
    const known = await visit.call(operations.profiles.get, { id });
    const edited = await carryOutEdit(visit, editOf(visit, known), known);
    if (edited === undefined) return;
    onChange();
    visit.go(
      personPath(id),
      edited === known ? "unchanged" : edited.email === known.email ? "saved" : "address",
    );
  });

  shell.get("/people/:id/unlink", "people", async (visit) => {
    const id = visit.parameter("id");
    const t = messages(visit.site.locale);
    const { name } = await visit.call(operations.profiles.get, { id });
    const page = {
      section: "people" as const,
      heading: t.text("admin.people.unlinkTitle", { profile: name }),
      back: { url: shell.url(personPath(id)), label: name },
      submit: t.text("admin.people.unlinkSubmit"),
      form: visit.form(`${personPath(id)}/unlink`),
      consequences: [t.text("admin.people.unlinkAccount"), t.text("admin.people.unlinkAgain")],
    };
    visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
  });

  shell.post("/people/:id/unlink", "people", async (visit) => {
    await visit.call(operations.profiles.unlink, { id: visit.parameter("id") });
    onChange();
    visit.go(personPath(visit.parameter("id")), "unlinked");
  });
}
