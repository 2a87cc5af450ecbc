/** The pages of administrators. */

import { invitationFields, roleFields } from "../../ui/console/forms.ts";
import type { FormState, ProfileView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Typed } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { LEAST_ROLE } from "../scopes.ts";
import { attempt } from "./attempt.ts";
import { asShown, isChanged } from "./edits.ts";
import { type FormValues, newOnce, one } from "./form-values.ts";
import type { Shell } from "./shell.ts";
import type { Visit } from "./visit.ts";

export function administratorRoutes(shell: Shell): void {
  shell.get("/administrators", section, listAdministrators);
  shell.get("/administrators/invite", section, offerInvitation);
  shell.post("/administrators/invite", section, invite);
  shell.get("/administrators/:id/role", section, offerRoles);
  shell.post("/administrators/:id/role", section, setRole);
}

const section = "administrators" as const;
const rolePath = (id: string) => `/administrators/${encodeURIComponent(id)}/role`;

async function listAdministrators(visit: Visit): Promise<void> {
  const { items } = await visit.call(operations.administrators.list, { limit: 200 });
  const invited = visit.query("invited") === "" ? null : visit.query("invited");
  const view = { items, mayWrite: visit.may("admins:write"), invited };
  visit.send(consolePages.administrators(visit.site, visit.frame, view));
}

async function offerInvitation(visit: Visit): Promise<void> {
  showInvitation(visit, visit.fresh("/administrators/invite", { role: [LEAST_ROLE] }, { once: newOnce() }));
}

async function invite(visit: Visit): Promise<void> {
  const values = visit.values();
  const once = one(values, "once");
  const input: Typed<typeof operations.administrators.invite.input> = {
    email: one(values, "email") ?? "",
    role: one(values, "role") ?? "",
    name: one(values, "name"),
  };
  const made = await attempt(
    visit.submit(operations.administrators.invite, input, { idempotencyKey: once }),
    (state, status) =>
      showInvitation(
        visit,
        visit.fresh("/administrators/invite", values, { once: once ?? newOnce(), ...state }),
        status,
      ),
  );
  if (made === undefined) return;
  visit.changed();
  visit.go(`/administrators?${new URLSearchParams({ invited: made.output.email })}`);
}

async function offerRoles(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const profile = await visit.call(operations.profiles.get, { id });
  const values: FormValues = { role: [profile.admin_role ?? "none"] };
  showRoles(visit, profile, visit.fresh(rolePath(id), values, { was: asShown(values) }));
}

async function setRole(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const values = visit.values();
  const profile = await visit.call(operations.profiles.get, { id });
  if (!isChanged(values, ["role"])) return visit.go("/administrators", "unchanged");
  const role = one(values, "role") ?? "";
  const was = one(values, "was") ?? "";
  const done = await attempt(
    visit.submit(operations.administrators.setRole, { id, role: role === "none" ? null : role }),
    (state, status) =>
      showRoles(visit, profile, visit.fresh(rolePath(id), values, { was, ...state }), status),
  );
  if (done !== undefined) visit.go("/administrators", "role_changed");
}

function showInvitation(visit: Visit, state: FormState, status = 200): void {
  const t = messages(visit.site.locale);
  const page = {
    section,
    heading: t.text("admin.administrators.inviteTitle"),
    back: listOf(visit),
    submit: t.text("admin.administrators.submit"),
  };
  const fields = invitationFields(visit.site);
  visit.send(consolePages.formPage(visit.site, visit.frame, page, state, fields), status);
}

function showRoles(visit: Visit, profile: ProfileView, state: FormState, status = 200): void {
  const t = messages(visit.site.locale);
  const page = {
    section,
    heading: t.text("admin.administrators.roleTitle", { profile: profile.name }),
    back: listOf(visit),
    submit: t.text("admin.save"),
  };
  visit.send(consolePages.formPage(visit.site, visit.frame, page, state, roleFields(visit.site)), status);
}

function listOf(visit: Visit): { url: string; label: string } {
  const label = messages(visit.site.locale).text("admin.section.administrators");
  return { url: visit.url("/administrators"), label };
}
