/** Looking: figures, what needs attention, upstreams, the audit. */

import type { Milliseconds } from "../../clock.ts";
import type { Calendar } from "../../domain/calendar.ts";
import { asAccountId, asLinkRequestId, asOrganizationId, asProfileId } from "../../domain/ids.ts";
import { planEndOf } from "../../domain/plan-end.ts";
import type { AuditAction, AuditEvent } from "../../domain/records.ts";
import type { AuditFilter } from "../../storage/contract.ts";
import type { audit as auditDefined } from "../definitions/audit.ts";
import type { attention, figures as figuresDefined, upstreams } from "../definitions/overview.ts";
import { fromTime, listed, pageOf, time, writeOrganization } from "../fields.ts";
import { figures } from "../figures.ts";
import type { HandlersOf } from "../operation.ts";
import type { OperationParts } from "../parts.ts";

const dayMs: Milliseconds = 24 * 3_600_000;

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

export function figureHandlers({ store, config }: OperationParts): HandlersOf<typeof figuresDefined> {
  const { administration } = store;
  return {
    get: async ({ range }, { now }) => ({
      output: await figures({ administration, upstreams: config.upstreams.map(({ id }) => id) }, range, now),
    }),
  };
}

export function attentionHandlers({ store, calendar }: OperationParts): HandlersOf<typeof attention> {
  const { administration } = store;
  return {
    get: async ({ days }, { now }) => {
      const until = now + days * dayMs;
      const keys = (await administration.apiKeys()).filter(
        ({ expiresAt }) => expiresAt > now && expiresAt <= until,
      );
      const rotated = (await store.clients.list()).filter(
        ({ previousSecret }) => (previousSecret?.until ?? 0) > now,
      );
      const uses = new Map(
        (await store.clients.uses(rotated.map(({ id }) => id))).map((use) => [use.clientId, use]),
      );
      const plans = await administration.expiringPlans(now, until, 50);
      const count = async (state: "failed" | "bounced" | "held") =>
        (await store.outbox.list({ states: [state], limit: 100 })).length;
      return {
        output: {
          plans: plans.map((one) => writeOrganization(one, calendar)),
          api_keys: keys.map(({ id, name, expiresAt }) => ({ id, name, expires_at: time(expiresAt) })),
          previous_secrets: rotated.map(({ id, previousSecret }) => {
            const used = uses.get(id)?.previousUsedAt ?? null;
            return {
              client_id: id,
              until: time(previousSecret?.until ?? now),
              last_used_at: used === null ? null : time(used),
            };
          }),
          mails: {
            failed: await count("failed"),
            bounced: await count("bounced"),
            held: await count("held"),
          },
        },
      };
    },
  };
}

export function upstreamHandlers({ config }: OperationParts): HandlersOf<typeof upstreams> {
  return {
    list: async () => {
      const items = config.upstreams.map(({ id, name, issuer, client_id, reauthentication }) => ({
        id,
        name,
        issuer,
        client_id,
        reauthentication,
      }));
      return { output: { items, next_cursor: null } };
    },
  };
}

export function auditHandlers({ store, calendar }: OperationParts): HandlersOf<typeof auditDefined> {
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
