/** Looking: figures, what needs attention, upstreams, the audit. */

import { z } from "zod";
import type { Calendar } from "../../domain/calendar.ts";
import { asAccountId, asLinkRequestId, asOrganizationId, asProfileId } from "../../domain/ids.ts";
import { planEndOf } from "../../domain/plan-end.ts";
import type { AuditAction, AuditEvent } from "../../domain/records.ts";
import type { AuditFilter } from "../../storage/contract.ts";
import {
  anyId,
  fromTime,
  instant,
  listed,
  listOf,
  organization,
  pageOf,
  paging,
  time,
  writeOrganization,
} from "../fields.ts";
import { FIGURES, figures } from "../figures.ts";
import { type AnyOperation, operation } from "../operation.ts";
import type { OperationParts } from "../parts.ts";

const dayMs = 24 * 3_600_000;

export const auditEvent = z.strictObject({
  id: anyId,
  at: instant,
  action: z.string(),
  actor: z.string(),
  profile_id: anyId.nullable(),
  organization_id: anyId.nullable(),
  account_id: anyId.nullable(),
  request_id: anyId.nullable(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

const writeEvent = ({ id, at, action, actor, detail, ...about }: AuditEvent, calendar: Calendar) => ({
  ...{ id, at: time(at), action, actor, profile_id: about.profileId, organization_id: about.organizationId },
  ...{ account_id: about.accountId, request_id: about.requestId, detail: withLastDay(detail, calendar) },
});

/** A plan's end is kept as an instant; beside it stands its last day, as in every other face. */
function withLastDay(detail: AuditEvent["detail"], calendar: Calendar): AuditEvent["detail"] {
  const { planExpiresAt } = detail;
  if (typeof planExpiresAt !== "number" && planExpiresAt !== null) return detail;
  return { ...detail, planLastDay: planEndOf(planExpiresAt, calendar).lastDay };
}

export function lookingOperations(parts: OperationParts): AnyOperation[] {
  return [...figureOperations(parts), ...auditOperations(parts)];
}

function figureOperations({ store, config, calendar }: OperationParts): AnyOperation[] {
  const { administration } = store;
  return [
    operation(
      {
        name: "getFigures",
        summary: "Count sign-ins, links and mails over the last day, week or month.",
        ...{ scope: "admin:read", method: "GET", path: "/figures" },
        input: z.strictObject({ range: z.enum(["24h", "7d", "30d"]).default("24h") }),
        output: z.strictObject({
          from: instant,
          to: instant,
          step_seconds: z.int(),
          series: z.array(
            z.strictObject({
              name: z.enum(FIGURES),
              upstream_id: z.string().nullable(),
              total: z.int(),
              points: z.array(z.strictObject({ at: instant, count: z.int() })),
            }),
          ),
        }),
      },
      async ({ range }, { now }) => ({
        output: await figures({ administration, upstreams: config.upstreams.map(({ id }) => id) }, range, now),
      }),
    ),
    operation(
      {
        name: "getAttention",
        summary: "List what needs looking after: plans, secrets and keys that end soon, mails that failed or wait.",
        ...{ scope: "admin:read", method: "GET", path: "/attention" },
        input: z.strictObject({ days: z.int().min(1).max(365).default(30) }),
        output: z.strictObject({
          plans: z.array(organization),
          api_keys: z.array(z.strictObject({ id: anyId, name: z.string(), expires_at: instant })),
          previous_secrets: z.array(
            z.strictObject({ client_id: anyId, until: instant, last_used_at: instant.nullable() }),
          ),
          mails: z.strictObject({ failed: z.int(), bounced: z.int(), held: z.int() }).meta({
            description: "Counted up to 100.",
          }),
        }),
      },
      async ({ days }, { now }) => {
        const until = now + days * dayMs;
        const keys = (await administration.apiKeys()).filter(({ expiresAt }) => expiresAt > now && expiresAt <= until);
        const rotated = (await store.clients.list()).filter(({ previousSecret }) => (previousSecret?.until ?? 0) > now);
        const uses = new Map((await store.clients.uses(rotated.map(({ id }) => id))).map((use) => [use.clientId, use]));
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
            mails: { failed: await count("failed"), bounced: await count("bounced"), held: await count("held") },
          },
        };
      },
    ),
    operation(
      {
        name: "listUpstreams",
        summary: "List the upstreams of the configuration.",
        ...{ scope: "admin:read", method: "GET", path: "/upstreams" },
        input: z.strictObject({}),
        output: listOf(
          z.strictObject({
            id: anyId,
            name: z.string(),
            issuer: z.string(),
            client_id: z.string(),
            reauthentication: z.string(),
          }),
        ),
        command: { name: "upstreams list", examples: ["liaison upstreams list"] },
      },
      async () => {
        const items = config.upstreams.map(({ id, name, issuer, client_id, reauthentication }) => ({
          ...{ id, name, issuer, client_id, reauthentication },
        }));
        return { output: { items, next_cursor: null } };
      },
    ),
  ];
}

function auditOperations({ store, calendar }: OperationParts): AnyOperation[] {
  const { audit } = store;
  return [
    operation(
      {
        name: "listAudit",
        summary: "List what was done, newest first.",
        ...{ scope: "audit:read", method: "GET", path: "/audit" },
        input: z.strictObject({
          action: z.string().min(1).max(64).optional(),
          actor: z.string().min(1).max(200).optional(),
          profile_id: anyId.optional(),
          organization_id: anyId.optional(),
          account_id: anyId.optional(),
          request_id: anyId.optional(),
          from: instant.optional(),
          to: instant.optional(),
          ...paging,
        }),
        output: listOf(auditEvent),
        command: {
          name: "audit list",
          examples: ["liaison audit list --action profile.bound", "liaison audit list --actor command:admin --json"],
        },
      },
      async ({ action, actor, profile_id, organization_id, account_id, request_id, from, to, ...page }) => {
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
        return { output: listed(await audit.search(filter, pageOf(page)), (event) => writeEvent(event, calendar)) };
      },
    ),
  ];
}
