/**
 * The addresses that orchestrators and load balancers ask. Both answer from memory: however many probes there
 * are, they cost the store nothing. What is looked at is readiness.ts's.
 */

import type Router from "@koa/router";
import type { Context } from "koa";
import type { Readiness } from "../readiness.ts";

export interface HealthDeps {
  readiness: Pick<Readiness, "report">;
}

/**
 * `/livez`: this process answers. `/readyz`, and `/healthz` as it was called first: requests may be sent
 * here.
 */
export function healthRoutes(router: Router, { readiness }: HealthDeps): void {
  router.get("/livez", (ctx) => answer(ctx, 200, { status: "ok" }));

  for (const path of ["/readyz", "/healthz"]) {
    router.get(path, (ctx) => {
      const report = readiness.report();
      answer(ctx, report.status === "ok" || report.status === "degraded" ? 200 : 503, report);
    });
  }
}

function answer(ctx: Context, status: number, content: object): void {
  ctx.status = status;
  ctx.set("cache-control", "no-store");
  ctx.body = content;
}
