/** Operations of the audit: its events by a filter. */

import type { Calendar } from "../../domain/calendar.ts";
import { asAccountId, asLinkRequestId, asOrganizationId, asProfileId } from "../../domain/ids.ts";
import { planEndOf } from "../../domain/plan-end.ts";
import type { AuditAction, AuditEvent } from "../../domain/records.ts";
import type { AuditFilter } from "../../storage/contract.ts";
import type { audit as auditDefined } from "../definitions/audit.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { fromTime, listed, pageOf, time } from "../fields.ts";
import type { HandlersOf } from "../operation.ts";

export function auditHandlers({ store, calendar }: OperationDependencies): HandlersOf<typeof auditDefined> {
  const { audit } = store;
  return {
    list: async ({
      action,
      actor,
      profile_id,
      organization_id,
      account_id,
      request_id,
      from,
      to,
      ...page
    }) => {
      const filter: AuditFilter = {
        ...(action === undefined ? {} : { action: action as AuditAction }),
        ...(actor === undefined ? {} : { actor }),
        ...(profile_id === undefined ? {} : { profileId: asProfileId(profile_id) }),
        ...(organization_id === undefined ? {} : { organizationId: asOrganizationId(organization_id) }),
        ...(account_id === undefined ? {} : { accountId: asAccountId(account_id) }),
        ...(request_id === undefined ? {} : { requestId: asLinkRequestId(request_id) }),
        ...(from === undefined ? {} : { from: fromTime(from) }),
        ...(to === undefined ? {} : { to: fromTime(to) }),
      };
      return {
        output: listed(await audit.search(filter, pageOf(page)), (event) => writeEvent(event, calendar)),
      };
    },
  };
}

const writeEvent = ({ id, at, action, actor, detail, ...about }: AuditEvent, calendar: Calendar) => ({
  id,
  at: time(at),
  action,
  actor,
  profile_id: about.profileId,
  organization_id: about.organizationId,
  account_id: about.accountId,
  request_id: about.requestId,
  detail: withLastDay(detail, calendar),
});

/** A plan's end is kept as an instant; beside it stands its last day, as in every other face. */
function withLastDay(detail: AuditEvent["detail"], calendar: Calendar): AuditEvent["detail"] {
  const { planExpiresAt } = detail;
  if (typeof planExpiresAt !== "number" && planExpiresAt !== null) return detail;
  return { ...detail, planLastDay: planEndOf(planExpiresAt, calendar).lastDay };
}
