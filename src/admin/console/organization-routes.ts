/** The pages of organizations. */

import type { Instant } from "../../clock.ts";
import { organizationFields } from "../../ui/console/organization-fields.ts";
import type { ConsoleFrame, FormState, OrganizationView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Changes } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { attempt } from "./attempt.ts";
import { mayEdit, organizationPath } from "./directory-forms.ts";
import { isEnabled, organizationValues, typedOrganization } from "./directory-values.ts";
import { applyEdit, type Edit, showEdit } from "./edits.ts";
import { fieldValue, newOnce } from "./form-values.ts";
import { type ConsoleRequest, listQuery, nextUrl } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export interface OrganizationRoutesDependencies {
  now(): Instant;
}

export function organizationRoutes(
  router: ConsoleRouter,
  dependencies: OrganizationRoutesDependencies,
): void {
  router.get("/organizations", "organizations", (request) => listOrganizations(request, dependencies));
  router.get("/organizations/new", "organizations", offerNewOrganization);
  router.post("/organizations/new", "organizations", addOrganization);
  router.get("/organizations/:id", "organizations", (request) => showOrganization(request, dependencies));
  router.get("/organizations/:id/edit", "organizations", offerEdit);
  router.post("/organizations/:id/edit", "organizations", editOrganization);
}

async function listOrganizations(
  request: ConsoleRequest,
  { now }: OrganizationRoutesDependencies,
): Promise<void> {
  const query = listQuery(request);
  const { items, next_cursor } = await request.call(operations.organizations.list, query);
  const view = {
    items,
    nextUrl: nextUrl(request, request.url("/organizations"), next_cursor),
    search: query.q ?? "",
    mayWrite: request.may("directory:write"),
    now: now(),
  };
  request.send(consolePages.organizationList(request.site, request.frame, view));
}

async function offerNewOrganization(request: ConsoleRequest): Promise<void> {
  const values = { kind: ["customer"], plan_status: ["active"] };
  showForm(request, request.newForm("/organizations/new", values, { once: newOnce() }), null);
}

async function addOrganization(request: ConsoleRequest): Promise<void> {
  const values = request.values();
  const once = fieldValue(values, "once");
  const made = await attempt(
    request.submit(operations.organizations.create, typedOrganization(values), { idempotencyKey: once }),
    (state, status) =>
      showForm(
        request,
        request.newForm("/organizations/new", values, { once: once ?? newOnce(), ...state }),
        null,
        status,
      ),
  );
  if (made !== undefined) request.redirect(organizationPath(made.output.id), "organization_added");
}

async function showOrganization(
  request: ConsoleRequest,
  { now }: OrganizationRoutesDependencies,
): Promise<void> {
  const id = request.parameter("id");
  const organization = await request.call(operations.organizations.get, { id });
  const { cursor, limit } = listQuery(request);
  const query = { organization_id: id, limit, cursor };
  const { items, next_cursor } = await request.call(operations.profiles.list, query);
  const next = nextUrl(request, request.url(organizationPath(id)), next_cursor);
  const people = { items, nextUrl: next, search: "" };
  const view = { organization, people, mayWrite: mayEdit(request, organization), now: now() };
  const isAdded = request.query("done") === "person_added";
  const frame = isAdded ? await personAdded(request, organization) : request.frame;
  request.send(consolePages.organizationPage(request.site, frame, view));
}

/** Says where a person links who was just added, which nobody tells them. */
async function personAdded(request: ConsoleRequest, { kind }: OrganizationView): Promise<ConsoleFrame> {
  const t = messages(request.site.locale);
  const { items } = await request.call(operations.clients.list, {});
  const portals = items
    .filter(({ preset, access_policy: policy }) => preset !== "machine" && policy.kinds.includes(kind))
    .map(({ name }) => name);
  const done =
    portals.length === 0
      ? t.text("admin.done.person_added_nowhere")
      : t.text("admin.done.person_added", {
          portals: new Intl.ListFormat(request.site.locale, { type: "disjunction" }).format(portals),
        });
  return { ...request.frame, done };
}

async function offerEdit(request: ConsoleRequest): Promise<void> {
  const read = await request.read(operations.organizations.get, { id: request.parameter("id") });
  showEdit(request, editOf(request, read.output), read);
}

async function editOrganization(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const known = await request.call(operations.organizations.get, { id });
  const edited = await applyEdit(request, editOf(request, known), known);
  if (edited === undefined) return;
  request.changed();
  request.redirect(organizationPath(id), edited === known ? "unchanged" : "saved");
}

function editOf(
  request: ConsoleRequest,
  known: OrganizationView,
): Edit<OrganizationView, Changes<typeof operations.organizations.edit>> {
  return {
    action: `${organizationPath(known.id)}/edit`,
    valuesOf: organizationValues,
    typed: (values): Changes<typeof operations.organizations.edit> => ({
      ...typedOrganization(values),
      enabled: isEnabled(values),
    }),
    apply: (changes, ifMatch) =>
      request.submit(operations.organizations.edit, { id: known.id, ...changes }, { ifMatch }),
    show: (state, status) => showForm(request, state, known, status),
  };
}

/** @param known the one that is edited; null for a new one */
function showForm(
  request: ConsoleRequest,
  state: FormState,
  known: OrganizationView | null,
  status = 200,
): void {
  const t = messages(request.site.locale);
  const list = { url: request.url("/organizations"), label: t.text("admin.section.organizations") };
  const page = {
    section: "organizations" as const,
    heading: t.text(known === null ? "admin.organizations.newTitle" : "admin.organizations.editTitle"),
    back: known === null ? list : { url: request.url(organizationPath(known.id)), label: known.name },
    submit: t.text(known === null ? "admin.organizations.submit" : "admin.save"),
  };
  const fields = organizationFields(request.site, known === null);
  request.send(consolePages.formPage(request.site, request.frame, page, state, fields), status);
}
