/** The page that says why somebody was refused: a sign-in of a person at a portal, simulated. */

import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import type { ConsoleRequest } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function simulationRoutes(router: ConsoleRouter): void {
  router.get("/why", "why", showWhy);
}

async function showWhy(request: ConsoleRequest): Promise<void> {
  const search = request.query("q").trim();
  const profileId = request.query("profile_id");
  const clientId = request.query("client_id");
  const query = { q: search.slice(0, 200), limit: 20 };
  const found = search === "" ? [] : (await request.call(operations.profiles.list, query)).items;
  const profile = profileId === "" ? null : await request.call(operations.profiles.get, { id: profileId });
  const asked = profile === null || clientId === "" ? null : { client_id: clientId, profile_id: profile.id };
  const result = asked === null ? null : await request.call(operations.simulation.run, asked);
  const view = { search, found, profile, clientId, result, fault: null };
  request.send(consolePages.why(request.site, request.frame, view));
}
