/** Operations of the overview: metrics, what needs attention, upstreams. */

import type { Milliseconds } from "../../clock.ts";
import type { attention, figures as metrics, upstreams } from "../definitions/overview.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { time, writeOrganization } from "../fields.ts";
import { metricsOver } from "../metrics.ts";
import type { HandlersOf } from "../operation.ts";

const dayMs: Milliseconds = 24 * 3_600_000;

export function metricHandlers({ store, config }: OperationDependencies): HandlersOf<typeof metrics> {
  const { administration } = store;
  return {
    get: async ({ range }, { now }) => ({
      output: await metricsOver(
        { administration, upstreams: config.upstreams.map(({ id }) => id) },
        range,
        now,
      ),
    }),
  };
}

export function attentionHandlers({ store, calendar }: OperationDependencies): HandlersOf<typeof attention> {
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

export function upstreamHandlers({ config }: OperationDependencies): HandlersOf<typeof upstreams> {
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
