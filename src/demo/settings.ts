/**
 * The demo's addresses, and the configuration that its broker runs under: an ordinary one, as config/ would
 * hold it.
 */

import { join } from "node:path";
import { type Config, configSchema } from "../config/schema.ts";
import { LiaisonError } from "../errors.ts";
import type { DemoSecrets } from "./folder.ts";
import { type PortalOptions, portalAddresses } from "./portal.ts";
import { DEMO_UPSTREAM_ID } from "./seed.ts";
import type { DemoUpstreamClient } from "./upstream.ts";
import { UPSTREAM_NAME } from "./upstream-pages.ts";

export interface DemoPorts {
  broker: number;
  upstream: number;
  customersource: number;
  partnersource: number;
  inbox: number;
  smtp: number;
}

/** Up to the SMTP server's. */
const PORT_SPAN = 25;
/** Below it only root may listen. */
const FIRST_PORT = 1024;
const LAST_PORT = 65_535 - PORT_SPAN;

/**
 * All ports of a demo, counted from one. Throws `usage` where that leaves the range of ports: the only place
 * that says which.
 */
export function demoPorts(base: number): DemoPorts {
  if (!Number.isInteger(base) || base < FIRST_PORT || base > LAST_PORT) {
    throw LiaisonError.usage(`--port-base takes a whole number from ${FIRST_PORT} to ${LAST_PORT}.`);
  }
  return {
    broker: base,
    upstream: base + 1,
    customersource: base + 2,
    partnersource: base + 3,
    inbox: base + 4,
    smtp: base + PORT_SPAN,
  };
}

export const localUrl = (port: number) => `http://localhost:${port}`;

const BROKER_CLIENT_ID = "contoso-sign-in";
const DEPLOYMENT_NAME = "Contoso Sign-in";

/** The portals as applications: what they are called, how they look, which client they are. */
export function demoPortals(ports: DemoPorts, secrets: DemoSecrets): PortalOptions[] {
  const issuer = localUrl(ports.broker);
  return [
    {
      look: "customersource",
      name: "CustomerSource",
      tagline: "for customers of Contoso",
      purpose: "Downloads, training and support for organizations with a Contoso service plan.",
      port: ports.customersource,
      clientId: "customersource",
      clientSecret: secrets.customersource_secret,
      issuer,
    },
    {
      look: "partnersource",
      name: "PartnerSource",
      tagline: "for partners of Contoso",
      purpose: "Sales material, consulting tools and early releases for Contoso's partners.",
      port: ports.partnersource,
      clientId: "partnersource",
      clientSecret: secrets.partnersource_secret,
      issuer,
    },
  ];
}

/** The broker as a relying party of the demo upstream. */
export function brokerClient(ports: DemoPorts, secrets: DemoSecrets): DemoUpstreamClient {
  return {
    id: BROKER_CLIENT_ID,
    secret: secrets.upstream_client_secret,
    name: DEPLOYMENT_NAME,
    redirectUris: [`${localUrl(ports.broker)}/upstream/${DEMO_UPSTREAM_ID}/callback`],
  };
}

/** The broker's configuration. */
export function demoConfig(ports: DemoPorts, folder: string, secrets: DemoSecrets): Config {
  return configSchema.parse(demoSettings(ports, folder, secrets));
}

/** The same as a file, for commands beside the demo. JSON is YAML. */
export function demoConfigText(ports: DemoPorts, folder: string, secrets: DemoSecrets): string {
  return (
    "# Written by the demo at each " +
    `start.\n${JSON.stringify(demoSettings(ports, folder, secrets), null, 2)}\n`
  );
}

function demoSettings(ports: DemoPorts, folder: string, secrets: DemoSecrets): Record<string, unknown> {
  const upstream = localUrl(ports.upstream);
  const policies: Record<string, Config["portals"][number]["access_policy"]> = {
    customersource: { kinds: ["customer"], plan_required: true, roles: [] },
    partnersource: { kinds: ["partner"], plan_required: false, roles: [] },
  };
  return {
    issuer: localUrl(ports.broker),
    listen: { host: "127.0.0.1", port: ports.broker },
    encryption_key: secrets.encryption_key,
    storage: { sqlite: { file: join(folder, "liaison.db") } },
    deployment: {
      name: DEPLOYMENT_NAME,
      support_email: "support@contoso.example",
      support_phone: "+1 555 0100",
    },
    mail: {
      from_name: DEPLOYMENT_NAME,
      from_address: "no-reply@contoso.example",
      smtp: { host: "127.0.0.1", port: ports.smtp, security: "none" },
    },
    // Whoever tries it out hardly waits.
    linking: { resend_after_seconds: 1, lookup_delay_seconds: { min: 0, max: 0.5 } },
    upstreams: [
      {
        id: DEMO_UPSTREAM_ID,
        name: UPSTREAM_NAME,
        issuer: upstream,
        client_id: BROKER_CLIENT_ID,
        client_secret: secrets.upstream_client_secret,
        about_url: `${upstream}/about`,
        create_account_url: `${upstream}/create-account`,
        forgot_password_url: `${upstream}/forgot-password`,
        support_email: "help@fabrikam.example",
      },
    ],
    portals: demoPortals(ports, secrets).map(({ clientId, clientSecret, name, port }) => {
      const addresses = portalAddresses(port);
      return {
        id: clientId,
        name,
        client_secret: clientSecret,
        home_url: addresses.url,
        about_url: addresses.aboutUrl,
        redirect_uris: [addresses.redirectUri],
        post_logout_redirect_uris: [addresses.postLogoutRedirectUri],
        initiate_login_uri: addresses.initiateLoginUri,
        backchannel_logout_uri: addresses.backchannelLogoutUri,
        access_policy: policies[clientId],
      };
    }),
  };
}
