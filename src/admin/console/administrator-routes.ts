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
import { type FormValues, fieldValue, newOnce } from "./form-values.ts";
import type { ConsoleRequest } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function administratorRoutes(router: ConsoleRouter): void {
  router.get("/administrators", section, listAdministrators);
  router.get("/administrators/invite", section, offerInvitation);
  router.post("/administrators/invite", section, invite);
  router.get("/administrators/:id/role", section, offerRoles);
  router.post("/administrators/:id/role", section, setRole);
}

const section = "administrators" as const;
const rolePath = (id: string) => `/administrators/${encodeURIComponent(id)}/role`;

async function listAdministrators(request: ConsoleRequest): Promise<void> {
  const { items } = await request.call(operations.administrators.list, { limit: 200 });
  const invited = request.query("invited") === "" ? null : request.query("invited");
  const view = { items, mayWrite: request.may("admins:write"), invited };
  request.send(consolePages.administrators(request.site, request.frame, view));
}

async function offerInvitation(request: ConsoleRequest): Promise<void> {
  showInvitation(
    request,
    request.newForm("/administrators/invite", { role: [LEAST_ROLE] }, { once: newOnce() }),
  );
}

async function invite(request: ConsoleRequest): Promise<void> {
  const values = request.values();
  const once = fieldValue(values, "once");
  const input: Typed<typeof operations.administrators.invite.input> = {
    email: fieldValue(values, "email") ?? "",
    role: fieldValue(values, "role") ?? "",
    name: fieldValue(values, "name"),
  };
  const made = await attempt(
    request.submit(operations.administrators.invite, input, { idempotencyKey: once }),
    (state, status) =>
      showInvitation(
        request,
        request.newForm("/administrators/invite", values, { once: once ?? newOnce(), ...state }),
        status,
      ),
  );
  if (made === undefined) return;
  request.changed();
  request.redirect(`/administrators?${new URLSearchParams({ invited: made.output.email })}`);
}

async function offerRoles(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const profile = await request.call(operations.profiles.get, { id });
  const values: FormValues = { role: [profile.admin_role ?? "none"] };
  showRoles(request, profile, request.newForm(rolePath(id), values, { was: asShown(values) }));
}

async function setRole(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const values = request.values();
  const profile = await request.call(operations.profiles.get, { id });
  if (!isChanged(values, ["role"])) return request.redirect("/administrators", "unchanged");
  const role = fieldValue(values, "role") ?? "";
  const was = fieldValue(values, "was") ?? "";
  const done = await attempt(
    request.submit(operations.administrators.setRole, { id, role: role === "none" ? null : role }),
    (state, status) =>
      showRoles(request, profile, request.newForm(rolePath(id), values, { was, ...state }), status),
  );
  if (done !== undefined) request.redirect("/administrators", "role_changed");
}

function showInvitation(request: ConsoleRequest, state: FormState, status = 200): void {
  const t = messages(request.site.locale);
  const page = {
    section,
    heading: t.text("admin.administrators.inviteTitle"),
    back: listOf(request),
    submit: t.text("admin.administrators.submit"),
  };
  const fields = invitationFields(request.site);
  request.send(consolePages.formPage(request.site, request.frame, page, state, fields), status);
}

function showRoles(request: ConsoleRequest, profile: ProfileView, state: FormState, status = 200): void {
  const t = messages(request.site.locale);
  const page = {
    section,
    heading: t.text("admin.administrators.roleTitle", { profile: profile.name }),
    back: listOf(request),
    submit: t.text("admin.save"),
  };
  request.send(
    consolePages.formPage(request.site, request.frame, page, state, roleFields(request.site)),
    status,
  );
}

function listOf(request: ConsoleRequest): { url: string; label: string } {
  const label = messages(request.site.locale).text("admin.section.administrators");
  return { url: request.url("/administrators"), label };
}
