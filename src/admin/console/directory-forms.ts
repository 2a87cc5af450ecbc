/** Paths of organizations on the administration's pages, and who may edit what belongs to them. */

import type { OrganizationView } from "../../ui/console/views.ts";
import type { ConsoleRequest } from "./request.ts";

export const organizationPath = (id: string) => `/organizations/${encodeURIComponent(id)}`;

/** Whether an administrator may edit what belongs to an organization. */
export function mayEdit(request: ConsoleRequest, { kind }: Pick<OrganizationView, "kind">): boolean {
  return request.may("directory:write") && (kind !== "operator" || request.may("admins:write"));
}
