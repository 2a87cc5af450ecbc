/** The pages of organizations and people. */

import { createCalendar } from "../../domain/calendar.ts";
import { organizationFields, profileFields } from "../../ui/console/forms.ts";
import type { FormState, GrantView, InquiryView, OrganizationView, ProfileView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import { attempt, isTicked, linesOf, listQuery, newOnce, nextUrl, one, type Shell, type Visit } from "./shell.ts";

interface Listed<Item> {
  items: Item[];
  next_cursor: string | null;
}

export interface DirectoryRoutesParts {
  timeZone: string;
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

function organizationRoutes(shell: Shell, { timeZone, now, onChange }: DirectoryRoutesParts): void {
  const calendar = createCalendar(timeZone);

  const typed = (values: Record<string, string[]>) => {
    const day = one(values, "plan_expires_at");
    const end = day === undefined ? null : calendar.endOfDay(day);
    return {
      name: one(values, "name") ?? "",
      account_number: one(values, "account_number") ?? "",
      kind: one(values, "kind") ?? "",
      plan: {
        status: one(values, "plan_status") ?? "",
        // What is no day is for the operation to refuse.
        expires_at: end === undefined ? (day ?? null) : end === null ? null : new Date(end).toISOString(),
      },
    };
  };

  const valuesOf = ({ name, account_number, kind, plan, enabled }: OrganizationView) => ({
    ...{ name: [name], account_number: [account_number], kind: [kind], plan_status: [plan.status] },
    plan_expires_at: plan.expires_at === null ? [] : [calendar.dayOf(Date.parse(plan.expires_at) - 1)],
    enabled: [String(enabled)],
  });

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
    const { items, next_cursor } = await visit.call<Listed<OrganizationView>>("listOrganizations", query);
    const next = nextUrl(visit, shell.url("/organizations"), next_cursor);
    const view = { items, nextUrl: next, search: query.q ?? "", mayWrite: visit.may("directory:write"), now: now() };
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
      visit.call<OrganizationView>("createOrganization", typed(values), { idempotencyKey: once }),
      (state, status) =>
        showForm(visit, visit.fresh("/organizations/new", values, { once: once ?? newOnce(), ...state }), null, status),
    );
    if (made !== undefined) visit.go(organizationPath(made.output.id));
  });

  shell.get("/organizations/:id", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const organization = await visit.call<OrganizationView>("getOrganization", { id });
    const { cursor, limit } = listQuery(visit);
    const query = { organization_id: id, limit, ...(cursor === undefined ? {} : { cursor }) };
    const { items, next_cursor } = await visit.call<Listed<ProfileView>>("listProfiles", query);
    const next = nextUrl(visit, shell.url(organizationPath(id)), next_cursor);
    const people = { items, nextUrl: next, search: "" };
    const view = { organization, people, mayWrite: mayEdit(visit, organization), now: now() };
    visit.send(consolePages.organizationPage(visit.site, visit.frame, view));
  });

  shell.get("/organizations/:id/edit", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const { output, revision } = await visit.read<OrganizationView>("getOrganization", { id });
    showForm(visit, visit.fresh(`${organizationPath(id)}/edit`, valuesOf(output), { revision }), output);
  });

  shell.post("/organizations/:id/edit", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const values = visit.values();
    const known = await visit.call<OrganizationView>("getOrganization", { id });
    const revision = one(values, "revision") ?? "";
    const input = { id, ...typed(values), enabled: one(values, "enabled") !== "false" };
    const edited = await attempt(
      visit.call<OrganizationView>("editOrganization", input, { ifMatch: revision }),
      (state, status) =>
        showForm(visit, visit.fresh(`${organizationPath(id)}/edit`, values, { revision, ...state }), known, status),
    );
    if (edited === undefined) return;
    onChange();
    visit.go(organizationPath(id));
  });
}

function peopleRoutes(shell: Shell, { onChange }: DirectoryRoutesParts): void {
  const typed = (values: Record<string, string[]>) => ({
    ...{ name: one(values, "name") ?? "", email: one(values, "email") ?? "", roles: linesOf(values, "roles") },
  });

  function showNew(visit: Visit, organization: OrganizationView, state: FormState, status = 200) {
    const t = messages(visit.site.locale);
    const page = {
      section: "organizations" as const,
      heading: t.text("admin.people.newTitle", { organization: organization.name }),
      back: { url: shell.url(organizationPath(organization.id)), label: organization.name },
      submit: t.text("admin.people.submit"),
    };
    visit.send(consolePages.formPage(visit.site, visit.frame, page, state, profileFields(visit.site, true)), status);
  }

  function showEdit(visit: Visit, profile: ProfileView, state: FormState, status = 200) {
    const t = messages(visit.site.locale);
    const page = {
      section: "people" as const,
      heading: t.text("admin.people.editTitle"),
      back: { url: shell.url(personPath(profile.id)), label: profile.name },
      submit: t.text("admin.save"),
    };
    visit.send(consolePages.formPage(visit.site, visit.frame, page, state, profileFields(visit.site, false)), status);
  }

  shell.get("/organizations/:id/people/new", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const organization = await visit.call<OrganizationView>("getOrganization", { id });
    showNew(visit, organization, visit.fresh(`${organizationPath(id)}/people/new`, {}, { once: newOnce() }));
  });

  shell.post("/organizations/:id/people/new", "organizations", async (visit) => {
    const id = visit.parameter("id");
    const organization = await visit.call<OrganizationView>("getOrganization", { id });
    const values = visit.values();
    const once = one(values, "once");
    const made = await attempt(
      visit.call<ProfileView>("createProfile", { organization_id: id, ...typed(values) }, { idempotencyKey: once }),
      (state, status) =>
        showNew(
          visit,
          organization,
          visit.fresh(`${organizationPath(id)}/people/new`, values, { once: once ?? newOnce(), ...state }),
          status,
        ),
    );
    if (made !== undefined) visit.go(organizationPath(id));
  });

  shell.get("/people", "people", async (visit) => {
    const query = listQuery(visit);
    const { items, next_cursor } = await visit.call<Listed<ProfileView>>("listProfiles", query);
    const next = nextUrl(visit, shell.url("/people"), next_cursor);
    visit.send(consolePages.peopleList(visit.site, visit.frame, { items, nextUrl: next, search: query.q ?? "" }));
  });

  shell.get("/people/:id", "people", async (visit) => {
    const id = visit.parameter("id");
    const profile = await visit.call<ProfileView>("getProfile", { id });
    const inquiries = await visit.call<Listed<InquiryView>>("listInquiries", { profile_id: id, limit: 25 });
    const grants = await visit.call<Listed<GrantView>>("listGrants", { profile_id: id, limit: 25 });
    visit.send(
      consolePages.personPage(visit.site, visit.frame, {
        ...{ profile, inquiries: inquiries.items, grants: grants.items },
        endGrant: (grantId) => visit.form(`${personPath(id)}/end/${encodeURIComponent(grantId)}`),
        may: {
          edit: mayEdit(visit, profile.organization),
          unlink: visit.may("links:write") && (profile.organization.kind !== "operator" || visit.may("admins:write")),
          endSessions: visit.may("sessions:write"),
        },
        done: visit.query("done") === "address" ? "address_changed" : null,
      }),
    );
  });

  shell.post("/people/:id/end/:grant", "people", async (visit) => {
    await visit.call("revokeGrant", { id: visit.parameter("grant") });
    onChange();
    visit.go(personPath(visit.parameter("id")));
  });

  shell.get("/people/:id/edit", "people", async (visit) => {
    const id = visit.parameter("id");
    const { output, revision } = await visit.read<ProfileView>("getProfile", { id });
    const values = {
      name: [output.name],
      email: [output.email],
      roles: output.roles,
      enabled: [String(output.enabled)],
    };
    showEdit(visit, output, visit.fresh(`${personPath(id)}/edit`, values, { revision }));
  });

  shell.post("/people/:id/edit", "people", async (visit) => {
    const id = visit.parameter("id");
    const values = visit.values();
    const known = await visit.call<ProfileView>("getProfile", { id });
    const revision = one(values, "revision") ?? "";
    const input = {
      ...{ id, ...typed(values), enabled: one(values, "enabled") !== "false" },
      another_person: isTicked(values, "another_person"),
    };
    const edited = await attempt(
      visit.call<ProfileView>("editProfile", input, { ifMatch: revision }),
      (state, status) =>
        showEdit(visit, known, visit.fresh(`${personPath(id)}/edit`, values, { revision, ...state }), status),
    );
    if (edited === undefined) return;
    onChange();
    visit.go(`${personPath(id)}${edited.output.email === known.email ? "" : "?done=address"}`);
  });

  shell.get("/people/:id/unlink", "people", async (visit) => {
    const id = visit.parameter("id");
    const t = messages(visit.site.locale);
    const { name } = await visit.call<ProfileView>("getProfile", { id });
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
    await visit.call("unlinkProfile", { id: visit.parameter("id") });
    onChange();
    visit.go(personPath(visit.parameter("id")));
  });
}
