/**
 * Metrics of services: each is as it was, and counts what it does. What is done again is counted once.
 */

import { LiaisonError } from "../errors.ts";
import { hasBoundTo, type Linking } from "../linking/linking.ts";
import type { OutboxStore } from "../storage/contract.ts";
import type { Upstreams } from "../upstream/upstreams.ts";
import type { Counters } from "./metrics.ts";

export function linkingWithMetrics(linking: Linking, counters: Counters): Linking {
  return {
    ...linking,
    inquire: async (input) => {
      const outcome = await linking.inquire(input);
      if (outcome.asked) counters.count("links_asked");
      return outcome;
    },
    redeem: async (attempt) => {
      const outcome = await linking.redeem(attempt);
      const hasBound = hasBoundTo(outcome, attempt);
      // It was bound before: and counted, unless nobody heard of it.
      if (hasBound && attempt.isRepeated !== true) return outcome;
      counters.count(hasBound || outcome.result === "bound" ? "links_bound" : "links_refused");
      return outcome;
    },
  };
}

export function outboxWithMetrics(outbox: OutboxStore, counters: Counters): OutboxStore {
  let lastBounced = "";
  return {
    ...outbox,
    markSent: async (...call) => {
      const isSent = await outbox.markSent(...call);
      if (isSent) counters.count("mails_sent");
      return isSent;
    },
    markDeferred: async (...call) => {
      const isNoted = await outbox.markDeferred(...call);
      const [, , , nextAttemptAt] = call;
      if (isNoted) counters.count(nextAttemptAt === null ? "mails_failed" : "mails_deferred");
      return isNoted;
    },
    noteBounce: async (...call) => {
      const delivery = await outbox.noteBounce(...call);
      const [, { permanent }, now] = call;
      // Reported again, as by the pipe and by the webhook, it keeps the time of the first report.
      if (!permanent || delivery?.bouncedAt !== now) return delivery;
      const bounced = `${now} ${delivery.id}`;
      if (bounced !== lastBounced) counters.count("mails_bounced");
      lastBounced = bounced;
      return delivery;
    },
  };
}

/** What is the upstream's fault, or its network's. */
const failures = new Set(["upstream_unavailable", "upstream_rejected", "upstream_stale"]);

export function upstreamsWithMetrics(upstreams: Upstreams, counters: Counters): Upstreams {
  const counting = async <T>(upstreamId: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof LiaisonError && failures.has(error.code))
        counters.count("upstream_failures", upstreamId);
      throw error;
    }
  };
  return {
    ...upstreams,
    begin: (options) => counting(options.upstreamId, upstreams.begin(options)),
    complete: (answer) => {
      // What is kept of a callback was proven, and counted, when it was first loaded.
      const before = answer.kept?.proven?.transaction;
      const onProgress: typeof answer.onProgress = (progress) => {
        const { proven } = progress;
        if (proven !== undefined && proven.transaction !== before)
          counters.count("upstream_sign_ins", answer.upstreamId);
        answer.onProgress?.(progress);
      };
      return counting(answer.upstreamId, upstreams.complete({ ...answer, onProgress }));
    },
  };
}
