/**
 * What the pages are told about the deployment and its portals, from configuration and the client directory.
 */

import type { Config } from "../config/schema.ts";
import { isListed } from "../domain/portal.ts";
import type { Client, Membership, Requester } from "../domain/records.ts";
import type { ClientDirectory } from "../oidc/clients.ts";
import type { MembershipView, PortalView, Site, StaysKnown, UpstreamView } from "../ui/views.ts";

type SiteConfig = Pick<Config, "issuer" | "deployment" | "upstreams">;

/** The part of a Site that never changes while the service runs. */
function staticSite({ issuer, deployment, upstreams }: SiteConfig): Omit<Site, "portals"> {
  const { pathname } = new URL(issuer);
  return {
    name: deployment.name,
    basePath: pathname === "/" ? "" : pathname,
    support: {
      email: deployment.support_email,
      url: deployment.support_url,
      phone: deployment.support_phone,
    },
    timeZone: deployment.time_zone,
    locale: deployment.locale,
    upstreams: upstreams.map(
      (upstream): UpstreamView => ({
        id: upstream.id,
        name: upstream.name,
        aboutUrl: upstream.about_url,
        createAccountUrl: upstream.create_account_url,
        forgotPasswordUrl: upstream.forgot_password_url,
        support: { email: upstream.support_email, url: upstream.support_url },
      }),
    ),
  };
}

/**
 * Returns the Site of the moment, with those portals of the directory that may be named to anybody.
 * @param isNamed which those are; administrators see all
 */
export function createSiteSource(
  config: SiteConfig,
  clients: ClientDirectory,
  isNamed: (client: Client) => boolean = isListed,
): () => Promise<Site> {
  const fixed = staticSite(config);
  return async () => ({ ...fixed, portals: (await clients.list()).filter(isNamed).map(portalView) });
}

export function portalView(client: Pick<Client, "id" | "name" | "homeUrl" | "aboutUrl">): PortalView {
  return { id: client.id, name: client.name, homeUrl: client.homeUrl, aboutUrl: client.aboutUrl };
}

export function membershipView({ profile, organization }: Membership): MembershipView {
  return {
    profileId: profile.id,
    profileName: profile.name,
    organizationName: organization.name,
    accountNumber: organization.accountNumber,
    kind: organization.kind,
  };
}

/**
 * Who may still know a person that signs out: the upstream of this id, any where it is none, and portals by
 * name.
 */
export function staysKnownView(
  { upstreams }: Site,
  upstreamId: string | undefined,
  portals: readonly string[] | null,
): StaysKnown {
  return { upstream: upstreams.find(({ id }) => id === upstreamId)?.name ?? null, portals };
}

/**
 * How a page names a consumer account: by its email, else its display name, else the upstream's own id of it.
 */
export function accountLabel(requester: Pick<Requester, "email" | "displayName" | "subject">): string {
  return requester.email ?? requester.displayName ?? requester.subject;
}
