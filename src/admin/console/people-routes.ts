/** The pages of people: profiles of organizations. */

import { LiaisonError } from "../../errors.ts";
import { profileFields } from "../../ui/console/forms.ts";
import { clientName } from "../../ui/console/names.ts";
import type { FormState, OrganizationView, ProfileView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Changes } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { attempt } from "./attempt.ts";
import { mayEdit, organizationPath } from "./directory-forms.ts";
import { isEnabled, profileValues, typedProfile } from "./directory-values.ts";
import { applyEdit, type Edit, showEdit } from "./edits.ts";
import { fieldValue, isTicked, newOnce } from "./form-values.ts";
import { type ConsoleRequest, listQuery, nextUrl } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function peopleRoutes(router: ConsoleRouter): void {
  router.get("/organizations/:id/people/new", "organizations", offerNewPerson);
  router.post("/organizations/:id/people/new", "organizations", addPerson);
  router.get("/people", "people", listPeople);
  router.get("/people/:id", "people", showPerson);
  router.get("/people/:id/end/:grant", "people", askToEndSignIn);
  router.post("/people/:id/end/:grant", "people", endSignIn);
  router.get("/people/:id/edit", "people", offerEdit);
  router.post("/people/:id/edit", "people", editPerson);
  router.get("/people/:id/unlink", "people", askToUnlink);
  router.post("/people/:id/unlink", "people", unlinkPerson);
}

const personPath = (id: string) => `/people/${encodeURIComponent(id)}`;

async function offerNewPerson(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const organization = await request.call(operations.organizations.get, { id });
  const state = request.newForm(`${organizationPath(id)}/people/new`, {}, { once: newOnce() });
  showNewForm(request, organization, state);
}

async function addPerson(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const organization = await request.call(operations.organizations.get, { id });
  const values = request.values();
  const once = fieldValue(values, "once");
  const input = { organization_id: id, ...typedProfile(values) };
  const made = await attempt(
    request.submit(operations.profiles.create, input, { idempotencyKey: once }),
    (state, status) =>
      showNewForm(
        request,
        organization,
        request.newForm(`${organizationPath(id)}/people/new`, values, { once: once ?? newOnce(), ...state }),
        status,
      ),
  );
  if (made !== undefined) request.redirect(organizationPath(id), "person_added");
}

async function listPeople(request: ConsoleRequest): Promise<void> {
  const query = listQuery(request);
  const { items, next_cursor } = await request.call(operations.profiles.list, query);
  const next = nextUrl(request, request.url("/people"), next_cursor);
  const view = { items, nextUrl: next, search: query.q ?? "" };
  request.send(consolePages.peopleList(request.site, request.frame, view));
}

async function showPerson(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const profile = await request.call(operations.profiles.get, { id });
  const inquiries = await request.call(operations.inquiries.list, { profile_id: id, limit: 25 });
  const grants = await request.call(operations.grants.list, { profile_id: id, limit: 25 });
  const isOperator = profile.organization.kind === "operator";
  const view = {
    profile,
    inquiries: inquiries.items,
    grants: grants.items,
    may: {
      edit: mayEdit(request, profile.organization),
      unlink: request.may("links:write") && (!isOperator || request.may("admins:write")),
      endSessions: request.may("sessions:write"),
    },
  };
  request.send(consolePages.personPage(request.site, request.frame, view));
}

async function askToEndSignIn(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const t = messages(request.site.locale);
  const { name } = await request.call(operations.profiles.get, { id });
  const grants = await request.call(operations.grants.list, { profile_id: id, limit: 200 });
  const grant = grants.items.find((one) => one.id === request.parameter("grant"));
  if (grant === undefined) throw new LiaisonError("not_found", t.text("admin.endSignInGone"));
  const portal = clientName(request.site, grant.client_id);
  const page = {
    section: "people" as const,
    heading: t.text("admin.endSignInTitle", { profile: name, portal }),
    back: { url: request.url(personPath(id)), label: name },
    submit: t.text("admin.endSignInSubmit"),
    form: request.form(`${personPath(id)}/end/${encodeURIComponent(grant.id)}`),
    consequences: [t.text("admin.endsTokens"), t.text("admin.endSignInOthers")],
  };
  request.send(consolePages.confirmPage(request.site, request.frame, page));
}

async function endSignIn(request: ConsoleRequest): Promise<void> {
  await request.call(operations.grants.revoke, { id: request.parameter("grant") });
  request.changed();
  request.redirect(personPath(request.parameter("id")), "sign_in_ended");
}

async function offerEdit(request: ConsoleRequest): Promise<void> {
  const read = await request.read(operations.profiles.get, { id: request.parameter("id") });
  showEdit(request, editOf(request, read.output), read);
}

async function editPerson(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const known = await request.call(operations.profiles.get, { id });
  const edited = await applyEdit(request, editOf(request, known), known);
  if (edited === undefined) return;
  request.changed();
  const done = edited === known ? "unchanged" : edited.email === known.email ? "saved" : "address";
  request.redirect(personPath(id), done);
}

async function askToUnlink(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const t = messages(request.site.locale);
  const { name } = await request.call(operations.profiles.get, { id });
  const page = {
    section: "people" as const,
    heading: t.text("admin.people.unlinkTitle", { profile: name }),
    back: { url: request.url(personPath(id)), label: name },
    submit: t.text("admin.people.unlinkSubmit"),
    form: request.form(`${personPath(id)}/unlink`),
    consequences: [t.text("admin.people.unlinkAccount"), t.text("admin.people.unlinkAgain")],
  };
  request.send(consolePages.confirmPage(request.site, request.frame, page));
}

async function unlinkPerson(request: ConsoleRequest): Promise<void> {
  await request.call(operations.profiles.unlink, { id: request.parameter("id") });
  request.changed();
  request.redirect(personPath(request.parameter("id")), "unlinked");
}

function editOf(
  request: ConsoleRequest,
  known: ProfileView,
): Edit<ProfileView, Changes<typeof operations.profiles.edit>> {
  return {
    action: `${personPath(known.id)}/edit`,
    valuesOf: (profile) => ({ ...profileValues(profile), another_person: [] }),
    typed: (values): Changes<typeof operations.profiles.edit> => ({
      ...typedProfile(values),
      enabled: isEnabled(values),
      another_person: isTicked(values, "another_person"),
    }),
    apply: (changes, ifMatch) =>
      request.submit(operations.profiles.edit, { id: known.id, ...changes }, { ifMatch }),
    show: (state, status) => showEditForm(request, known, state, status),
  };
}

function showNewForm(
  request: ConsoleRequest,
  organization: OrganizationView,
  state: FormState,
  status = 200,
): void {
  const t = messages(request.site.locale);
  const page = {
    section: "organizations" as const,
    heading: t.text("admin.people.newTitle", { organization: organization.name }),
    back: { url: request.url(organizationPath(organization.id)), label: organization.name },
    submit: t.text("admin.people.submit"),
  };
  const fields = profileFields(request.site, true);
  request.send(consolePages.formPage(request.site, request.frame, page, state, fields), status);
}

function showEditForm(request: ConsoleRequest, profile: ProfileView, state: FormState, status = 200): void {
  const t = messages(request.site.locale);
  const page = {
    section: "people" as const,
    heading: t.text("admin.people.editTitle"),
    back: { url: request.url(personPath(profile.id)), label: profile.name },
    submit: t.text("admin.save"),
  };
  const fields = profileFields(request.site, false);
  request.send(consolePages.formPage(request.site, request.frame, page, state, fields), status);
}
