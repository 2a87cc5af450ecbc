/** The overview: what happened lately, and what needs attention. */

import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import type { ConsoleRequest } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function overviewRoutes(router: ConsoleRouter): void {
  router.get("", "overview", showOverview);
}

const ranges = ["24h", "7d", "30d"] as const;

async function showOverview(request: ConsoleRequest): Promise<void> {
  const range = ranges.find((one) => one === request.query("range")) ?? "24h";
  const metrics = await request.call(operations.figures.get, { range });
  const attention = await request.call(operations.attention.get, {});
  const upstreams = new Map(request.site.upstreams.map(({ id, name }) => [id, name]));
  request.send(consolePages.overview(request.site, request.frame, { range, metrics, attention, upstreams }));
}
