/** What the forms of organizations and people have alike, and who may send them. */

import type { OrganizationView } from "../../ui/console/views.ts";
import { type FormValues, fieldValue } from "./form-values.ts";
import type { ConsoleRequest } from "./request.ts";

export const organizationPath = (id: string) => `/organizations/${encodeURIComponent(id)}`;

/** Whether an administrator may edit what belongs to an organization. */
export function mayEdit(request: ConsoleRequest, { kind }: Pick<OrganizationView, "kind">): boolean {
  return request.may("directory:write") && (kind !== "operator" || request.may("admins:write"));
}

export const isEnabled = (values: FormValues) => fieldValue(values, "enabled") !== "false";
