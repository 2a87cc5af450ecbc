/** The pages of people: profiles of organizations. */

import { LiaisonError } from "../../errors.ts";
import { profileFields } from "../../ui/console/forms.ts";
import { clientName } from "../../ui/console/names.ts";
import type { FormState, OrganizationView, ProfileView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Changes, Typed } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { attempt } from "./attempt.ts";
import { isEnabled, mayEdit, organizationPath } from "./directory-forms.ts";
import { carryOutEdit, type Edit, showEdit } from "./edits.ts";
import { type FormValues, isTicked, linesOf, newOnce, one } from "./form-values.ts";
import type { Shell } from "./shell.ts";
import { listQuery, nextUrl, type Visit } from "./visit.ts";

export function peopleRoutes(shell: Shell): void {
  shell.get("/organizations/:id/people/new", "organizations", offerNewPerson);
  shell.post("/organizations/:id/people/new", "organizations", addPerson);
  shell.get("/people", "people", listPeople);
  shell.get("/people/:id", "people", showPerson);
  shell.get("/people/:id/end/:grant", "people", askToEndSignIn);
  shell.post("/people/:id/end/:grant", "people", endSignIn);
  shell.get("/people/:id/edit", "people", offerEdit);
  shell.post("/people/:id/edit", "people", editPerson);
  shell.get("/people/:id/unlink", "people", askToUnlink);
  shell.post("/people/:id/unlink", "people", unlinkPerson);
}

const personPath = (id: string) => `/people/${encodeURIComponent(id)}`;

async function offerNewPerson(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const organization = await visit.call(operations.organizations.get, { id });
  const state = visit.fresh(`${organizationPath(id)}/people/new`, {}, { once: newOnce() });
  showNewForm(visit, organization, state);
}

async function addPerson(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const organization = await visit.call(operations.organizations.get, { id });
  const values = visit.values();
  const once = one(values, "once");
  const input = { organization_id: id, ...typedPerson(values) };
  const made = await attempt(
    visit.submit(operations.profiles.create, input, { idempotencyKey: once }),
    (state, status) =>
      showNewForm(
        visit,
        organization,
        visit.fresh(`${organizationPath(id)}/people/new`, values, { once: once ?? newOnce(), ...state }),
        status,
      ),
  );
  if (made !== undefined) visit.go(organizationPath(id), "person_added");
}

async function listPeople(visit: Visit): Promise<void> {
  const query = listQuery(visit);
  const { items, next_cursor } = await visit.call(operations.profiles.list, query);
  const next = nextUrl(visit, visit.url("/people"), next_cursor);
  const view = { items, nextUrl: next, search: query.q ?? "" };
  visit.send(consolePages.peopleList(visit.site, visit.frame, view));
}

async function showPerson(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const profile = await visit.call(operations.profiles.get, { id });
  const inquiries = await visit.call(operations.inquiries.list, { profile_id: id, limit: 25 });
  const grants = await visit.call(operations.grants.list, { profile_id: id, limit: 25 });
  const isOperator = profile.organization.kind === "operator";
  const view = {
    profile,
    inquiries: inquiries.items,
    grants: grants.items,
    may: {
      edit: mayEdit(visit, profile.organization),
      unlink: visit.may("links:write") && (!isOperator || visit.may("admins:write")),
      endSessions: visit.may("sessions:write"),
    },
  };
  visit.send(consolePages.personPage(visit.site, visit.frame, view));
}

async function askToEndSignIn(visit: Visit): Promise<void> {
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
    back: { url: visit.url(personPath(id)), label: name },
    submit: t.text("admin.endSignInSubmit"),
    form: visit.form(`${personPath(id)}/end/${encodeURIComponent(grant.id)}`),
    consequences: [t.text("admin.endsTokens"), t.text("admin.endSignInOthers")],
  };
  visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
}

async function endSignIn(visit: Visit): Promise<void> {
  await visit.call(operations.grants.revoke, { id: visit.parameter("grant") });
  visit.changed();
  visit.go(personPath(visit.parameter("id")), "sign_in_ended");
}

async function offerEdit(visit: Visit): Promise<void> {
  const read = await visit.read(operations.profiles.get, { id: visit.parameter("id") });
  showEdit(visit, editOf(visit, read.output), read);
}

async function editPerson(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const known = await visit.call(operations.profiles.get, { id });
  const edited = await carryOutEdit(visit, editOf(visit, known), known);
  if (edited === undefined) return;
  visit.changed();
  const done = edited === known ? "unchanged" : edited.email === known.email ? "saved" : "address";
  visit.go(personPath(id), done);
}

async function askToUnlink(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const t = messages(visit.site.locale);
  const { name } = await visit.call(operations.profiles.get, { id });
  const page = {
    section: "people" as const,
    heading: t.text("admin.people.unlinkTitle", { profile: name }),
    back: { url: visit.url(personPath(id)), label: name },
    submit: t.text("admin.people.unlinkSubmit"),
    form: visit.form(`${personPath(id)}/unlink`),
    consequences: [t.text("admin.people.unlinkAccount"), t.text("admin.people.unlinkAgain")],
  };
  visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
}

async function unlinkPerson(visit: Visit): Promise<void> {
  await visit.call(operations.profiles.unlink, { id: visit.parameter("id") });
  visit.changed();
  visit.go(personPath(visit.parameter("id")), "unlinked");
}

function editOf(
  visit: Visit,
  known: ProfileView,
): Edit<ProfileView, Changes<typeof operations.profiles.edit>> {
  return {
    action: `${personPath(known.id)}/edit`,
    valuesOf: ({ name, email, roles, enabled }) => ({
      name: [name],
      email: [email],
      roles,
      enabled: [String(enabled)],
      another_person: [],
    }),
    typed: (values): Changes<typeof operations.profiles.edit> => ({
      ...typedPerson(values),
      enabled: isEnabled(values),
      another_person: isTicked(values, "another_person"),
    }),
    carryOut: (changes, ifMatch) =>
      visit.submit(operations.profiles.edit, { id: known.id, ...changes }, { ifMatch }),
    show: (state, status) => showEditForm(visit, known, state, status),
  };
}

/** What a form says of a person, as the operations take it. */
function typedPerson(
  values: FormValues,
): Omit<Typed<typeof operations.profiles.create.input>, "organization_id"> {
  return {
    name: one(values, "name") ?? "",
    email: one(values, "email") ?? "",
    roles: linesOf(values, "roles"),
  };
}

function showNewForm(visit: Visit, organization: OrganizationView, state: FormState, status = 200): void {
  const t = messages(visit.site.locale);
  const page = {
    section: "organizations" as const,
    heading: t.text("admin.people.newTitle", { organization: organization.name }),
    back: { url: visit.url(organizationPath(organization.id)), label: organization.name },
    submit: t.text("admin.people.submit"),
  };
  const fields = profileFields(visit.site, true);
  visit.send(consolePages.formPage(visit.site, visit.frame, page, state, fields), status);
}

function showEditForm(visit: Visit, profile: ProfileView, state: FormState, status = 200): void {
  const t = messages(visit.site.locale);
  const page = {
    section: "people" as const,
    heading: t.text("admin.people.editTitle"),
    back: { url: visit.url(personPath(profile.id)), label: profile.name },
    submit: t.text("admin.save"),
  };
  const fields = profileFields(visit.site, false);
  visit.send(consolePages.formPage(visit.site, visit.frame, page, state, fields), status);
}
