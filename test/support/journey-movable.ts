/**
 * A deployment whose time can be moved and whose upstream can be stopped: the application of liaison.ts with
 * the demo's portals.
 */

import { startPortal } from "../../src/demo/portal.ts";
import type { Running } from "../../src/demo/servers.ts";
import { startDemoUpstream } from "../../src/demo/upstream.ts";
import { freePort } from "./free-port.ts";
import type { JourneyDeployment } from "./journey-deployment.ts";
import { portalSecret, startLiaison, type TestClock } from "./liaison.ts";

export interface MovableDeployment extends JourneyDeployment {
  clock: TestClock;
  /** The upstream is down until it is started. */
  startUpstream(): Promise<void>;
  stopUpstream(): Promise<void>;
}

export async function startMovableDeployment(): Promise<MovableDeployment> {
  const ports = { customersource: await freePort(), partnersource: await freePort() };
  const liaison = await startLiaison({ upstream: false, config: (base) => withDemoPortals(base, ports) });
  const portals: Running[] = [];
  for (const id of ["customersource", "partnersource"] as const) {
    const face = { look: id, name: id === "customersource" ? "CustomerSource" : "PartnerSource" };
    const words = { tagline: "for tests", purpose: "A portal." };
    const client = { clientId: id, clientSecret: portalSecret, issuer: liaison.issuer };
    portals.push(await startPortal({ ...face, ...words, ...client, port: ports[id] }));
  }
  let upstream: Running | undefined;
  const stopUpstream = async () => {
    await upstream?.close();
    upstream = undefined;
  };
  return {
    issuer: liaison.issuer,
    upstream: liaison.upstreamIssuer,
    portals: {
      customersource: `http://localhost:${ports.customersource}`,
      partnersource: `http://localhost:${ports.partnersource}`,
    },
    store: liaison.store,
    clock: liaison.clock,
    mailsTo: async (address) => liaison.mailbox.mails.filter(({ to }) => to === address),
    startUpstream: async () => {
      upstream = await startDemoUpstream({
        port: Number(new URL(liaison.upstreamIssuer).port),
        accounts: [],
        clock: liaison.clock,
        clients: [
          {
            id: "liaison",
            secret: "an-upstream-secret-of-32-characters",
            name: "Contoso sign-in",
            redirectUris: [`${liaison.issuer}/upstream/fabrikam/callback`],
          },
        ],
      });
    },
    stopUpstream,
    close: async () => {
      await Promise.all([stopUpstream(), ...portals.map((portal) => portal.close())]);
      await liaison.close();
    },
  };
}

/** The test deployment's portals, moved to where the demo's are served. */
function withDemoPortals(
  base: Record<string, unknown>,
  ports: Record<string, number>,
): Record<string, unknown> {
  const portals = base["portals"] as { id: string }[];
  return {
    ...base,
    linking: { resend_after_seconds: 60, lookup_delay_seconds: { min: 0, max: 0 } },
    portals: portals.map((portal) => {
      const url = `http://localhost:${ports[portal.id]}`;
      return {
        ...portal,
        home_url: url,
        redirect_uris: [`${url}/callback`],
        post_logout_redirect_uris: [`${url}/signed-out`],
        initiate_login_uri: `${url}/login`,
      };
    }),
  };
}
