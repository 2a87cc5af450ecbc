/**
 * Notes in the store that an interaction's page was opened, from when on its row is kept
 * (oidc/interaction-lifetime.ts): once, and where the request writes anyway, in that write.
 */

import type { Context, Middleware } from "koa";
import type { Clock } from "../clock.ts";
import type { InteractionState } from "../oidc/dispatcher.ts";
import type { ArtifactExtension, ArtifactStore } from "../storage/contract.ts";
import { createRecent } from "./costs/recent.ts";

export interface OpenedInteractions {
  /** Stands around every step: what none of them has noted is noted before its answer leaves. */
  middleware: Middleware;
  /** A browser is at the page of this interaction. */
  arrived(ctx: Context, state: InteractionState): void;
  /** A write of this request has noted it. */
  noted(ctx: Context): void;
}

/** How many interactions a broker remembers to have been opened. */
const remembered = 20_000;

export function createOpenedInteractions({
  artifacts,
  clock,
}: {
  artifacts: Pick<ArtifactStore, "extend">;
  clock: Clock;
}): OpenedInteractions {
  const known = createRecent<true>(remembered);
  const dueIn = new WeakMap<Context, ArtifactExtension>();

  function noted(ctx: Context): void {
    const opened = dueIn.get(ctx);
    if (opened !== undefined) known.set(opened.idHash, true);
    dueIn.delete(ctx);
  }

  return {
    noted,
    arrived(ctx, { opened }) {
      if (opened !== undefined && known.get(opened.idHash) === undefined) dueIn.set(ctx, opened);
    },
    async middleware(ctx, next) {
      try {
        await next();
      } finally {
        const opened = dueIn.get(ctx);
        if (opened !== undefined) await artifacts.extend(opened, clock.now());
        noted(ctx);
      }
    },
  };
}
