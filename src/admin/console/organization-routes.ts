/** The pages of organizations. */

import { organizationFields } from "../../ui/console/forms.ts";
import type { ConsoleFrame, FormState, OrganizationView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Changes, Typed } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { attempt } from "./attempt.ts";
import { isEnabled, mayEdit, organizationPath } from "./directory-forms.ts";
import { carryOutEdit, type Edit, showEdit } from "./edits.ts";
import { type FormValues, newOnce, one } from "./form-values.ts";
import type { Shell } from "./shell.ts";
import { listQuery, nextUrl, type Visit } from "./visit.ts";

export interface OrganizationRoutesParts {
  now(): number;
}

export function organizationRoutes(shell: Shell, parts: OrganizationRoutesParts): void {
  shell.get("/organizations", "organizations", (visit) => listOrganizations(visit, parts));
  shell.get("/organizations/new", "organizations", offerNewOrganization);
  shell.post("/organizations/new", "organizations", addOrganization);
  shell.get("/organizations/:id", "organizations", (visit) => showOrganization(visit, parts));
  shell.get("/organizations/:id/edit", "organizations", offerEdit);
  shell.post("/organizations/:id/edit", "organizations", editOrganization);
}

async function listOrganizations(visit: Visit, { now }: OrganizationRoutesParts): Promise<void> {
  const query = listQuery(visit);
  const { items, next_cursor } = await visit.call(operations.organizations.list, query);
  const view = {
    items,
    nextUrl: nextUrl(visit, visit.url("/organizations"), next_cursor),
    search: query.q ?? "",
    mayWrite: visit.may("directory:write"),
    now: now(),
  };
  visit.send(consolePages.organizationList(visit.site, visit.frame, view));
}

async function offerNewOrganization(visit: Visit): Promise<void> {
  const values = { kind: ["customer"], plan_status: ["active"] };
  showForm(visit, visit.fresh("/organizations/new", values, { once: newOnce() }), null);
}

async function addOrganization(visit: Visit): Promise<void> {
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
}

async function showOrganization(visit: Visit, { now }: OrganizationRoutesParts): Promise<void> {
  const id = visit.parameter("id");
  const organization = await visit.call(operations.organizations.get, { id });
  const { cursor, limit } = listQuery(visit);
  const query = { organization_id: id, limit, cursor };
  const { items, next_cursor } = await visit.call(operations.profiles.list, query);
  const next = nextUrl(visit, visit.url(organizationPath(id)), next_cursor);
  const people = { items, nextUrl: next, search: "" };
  const view = { organization, people, mayWrite: mayEdit(visit, organization), now: now() };
  const isAdded = visit.query("done") === "person_added";
  const frame = isAdded ? await personAdded(visit, organization) : visit.frame;
  visit.send(consolePages.organizationPage(visit.site, frame, view));
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

async function offerEdit(visit: Visit): Promise<void> {
  const read = await visit.read(operations.organizations.get, { id: visit.parameter("id") });
  showEdit(visit, editOf(visit, read.output), read);
}

async function editOrganization(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const known = await visit.call(operations.organizations.get, { id });
  const edited = await carryOutEdit(visit, editOf(visit, known), known);
  if (edited === undefined) return;
  visit.changed();
  visit.go(organizationPath(id), edited === known ? "unchanged" : "saved");
}

function editOf(
  visit: Visit,
  known: OrganizationView,
): Edit<OrganizationView, Changes<typeof operations.organizations.edit>> {
  return {
    action: `${organizationPath(known.id)}/edit`,
    valuesOf: organizationValues,
    typed: (values): Changes<typeof operations.organizations.edit> => ({
      ...typedOrganization(values),
      enabled: isEnabled(values),
    }),
    carryOut: (changes, ifMatch) =>
      visit.submit(operations.organizations.edit, { id: known.id, ...changes }, { ifMatch }),
    show: (state, status) => showForm(visit, state, known, status),
  };
}

/** @param known the one that is edited; null for a new one */
function showForm(visit: Visit, state: FormState, known: OrganizationView | null, status = 200): void {
  const t = messages(visit.site.locale);
  const list = { url: visit.url("/organizations"), label: t.text("admin.section.organizations") };
  const page = {
    section: "organizations" as const,
    heading: t.text(known === null ? "admin.organizations.newTitle" : "admin.organizations.editTitle"),
    back: known === null ? list : { url: visit.url(organizationPath(known.id)), label: known.name },
    submit: t.text(known === null ? "admin.organizations.submit" : "admin.save"),
  };
  const fields = organizationFields(visit.site, known === null);
  visit.send(consolePages.formPage(visit.site, visit.frame, page, state, fields), status);
}

/** What a form says of an organization, as the operations take it. */
function typedOrganization(values: FormValues): Typed<typeof operations.organizations.create.input> {
  return {
    name: one(values, "name") ?? "",
    account_number: one(values, "account_number") ?? "",
    kind: one(values, "kind") ?? "",
    plan: { status: one(values, "plan_status") ?? "", last_day: one(values, "plan_last_day") ?? null },
  };
}

/** An organization, as its form holds it. */
function organizationValues({ name, account_number, kind, plan, enabled }: OrganizationView): FormValues {
  return {
    name: [name],
    account_number: [account_number],
    kind: [kind],
    plan_status: [plan.status],
    plan_last_day: plan.last_day === null ? [] : [plan.last_day],
    enabled: [String(enabled)],
  };
}
