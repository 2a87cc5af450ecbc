/** The administration of a demo, as a command beside it would have it. */

import { randomBytes } from "node:crypto";
import {
  createOfflineAdministration,
  type OfflineAdministration,
} from "../../src/admin/offline-administration.ts";
import { systemClock } from "../../src/clock.ts";
import { demoConfig, demoPorts } from "../../src/demo/settings.ts";
import type { JourneyDeployment } from "./journey-deployment.ts";

export async function demoAdministration({
  issuer,
  store,
}: JourneyDeployment): Promise<OfflineAdministration> {
  // Its secrets are the demo's own; none of them is needed here, for the store is open already.
  const secret = randomBytes(32).toString("base64");
  const secrets = {
    encryption_key: secret,
    upstream_client_secret: secret,
    customersource_secret: secret,
    partnersource_secret: secret,
  };
  const config = demoConfig(demoPorts(Number(new URL(issuer).port)), "", secrets);
  return await createOfflineAdministration(
    { config, store, clock: systemClock, checksOutputs: true },
    "test",
  );
}
