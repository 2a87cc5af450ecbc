/**
 * What the steps of a mailed link share: where it is, its cookies, and finding the link whose secret a
 * browser holds. link.ts has the routes.
 */

import type { Context } from "koa";
import type { Clock, Seconds } from "../clock.ts";
import { refusals } from "../domain/access.ts";
import { asLinkRequestId } from "../domain/ids.ts";
import type { Client, Membership, Requester } from "../domain/records.ts";
import type { Linking, LinkPreview } from "../linking/linking.ts";
import { type ClientDirectory, consoleClient } from "../oidc/clients.ts";
import { interactionLifetimeSeconds } from "../oidc/provider.ts";
import type { ArtifactStore } from "../storage/contract.ts";
import type { LinkDeadPage } from "../ui/views.ts";
import type { CookiePlace } from "./cookies.ts";
import { createDeclinedLinks, type DeclinedLinks } from "./declined-links.ts";
import type { HttpDependencies } from "./dependencies.ts";
import { sendPage } from "./responses.ts";
import { accountLabel, membershipView, portalView } from "./site.ts";
import { createWaitingSignIns, type WaitingSignIns } from "./waiting-sign-in.ts";

export interface LinkDeps extends HttpDependencies {
  linking: Linking;
  artifacts: Pick<ArtifactStore, "upsert" | "find">;
  clients: ClientDirectory;
  clock: Clock;
  /** Called when a link was carried out, so that its notice is mailed soon. */
  onBound(): void;
}

export interface LinkSteps extends LinkDeps {
  waiting: WaitingSignIns;
  declined: DeclinedLinks;
  urlOf(requestId: string): string;
  secretAt(requestId: string): CookiePlace;
  /**
   * Apart from all else: of several callbacks of one person, one links, and what the others came to is no
   * news then.
   */
  boundAt(requestId: string): CookiePlace;
  resultAt(requestId: string): CookiePlace;
}

export function createLinkSteps(deps: LinkDeps): LinkSteps {
  const { artifacts, encryptedCookies, cookies, config, clock } = deps;
  const { issuer } = config;
  const urlOf = (requestId: string) => `${issuer}/link/${requestId}`;
  const below = (requestId: string, name: string) =>
    cookies.below(new URL(urlOf(requestId)).pathname, `${name}.${requestId}`);
  const lifetimeSeconds: Seconds = interactionLifetimeSeconds(config.linking.link_lifetime_seconds);
  return {
    ...deps,
    waiting: createWaitingSignIns(issuer, cookies, encryptedCookies),
    declined: createDeclinedLinks({ issuer, cookies, encryptedCookies, artifacts, clock, lifetimeSeconds }),
    urlOf,
    secretAt: (requestId) => below(requestId, "liaison.link"),
    boundAt: (requestId) => below(requestId, "liaison.bound"),
    resultAt: (requestId) => below(requestId, "liaison.result"),
  };
}

/** A link whose secret this browser holds. */
export type OpenedLink = LinkPreview & { secret: string };

/** The id of the link of the path, as it came. */
export const requestIdOf = (ctx: Context) => String(ctx["params"].requestId);

/**
 * The link whose secret this browser holds, alive or dead; otherwise the page that says why not has been
 * sent.
 */
export async function openedLink(steps: LinkSteps, ctx: Context): Promise<OpenedLink | undefined> {
  const requestId = asLinkRequestId(requestIdOf(ctx));
  if (!/^[\w-]{22}$/.test(requestId)) {
    await showDead(steps, ctx, "unknown", null);
    return undefined;
  }
  const secret = steps.encryptedCookies.get(ctx, steps.secretAt(requestId))?.["secret"];
  const preview = typeof secret === "string" ? await steps.linking.view(requestId, secret) : undefined;
  if (typeof secret === "string" && preview !== undefined) return { ...preview, secret };
  await showDead(steps, ctx, typeof secret === "string" ? "unknown" : "cookie_missing", null);
  return undefined;
}

/** The same where it is alive. */
export async function liveLink(steps: LinkSteps, ctx: Context): Promise<OpenedLink | undefined> {
  const opened = await openedLink(steps, ctx);
  if (opened === undefined || opened.verdict.alive) return opened;
  await showDead(steps, ctx, opened.verdict.reason, opened.membership);
  return undefined;
}

/** The page of a link that does nothing any more, or never did. */
export async function showDead(
  steps: LinkSteps,
  ctx: Context,
  reason: LinkDeadPage["reason"],
  membership: Membership | null,
): Promise<void> {
  const opens = membership && (await opensOf(steps, membership)).map(portalView);
  const view = { reason, membership: membership && membershipView(membership), opens };
  // Gone for good, or never here; a missing cookie is the browser's matter.
  const status = reason === "cookie_missing" ? 400 : reason === "unknown" ? 404 : 410;
  sendPage(ctx, steps.pages.linkDead(await steps.site(), view), status);
}

/** What a profile opens, once it is linked. */
export async function opensOf(
  { config, clients, clock }: LinkSteps,
  membership: Membership,
): Promise<Client[]> {
  const own = membership.profile.adminRole === null ? [] : [consoleClient(config.issuer)];
  const all = [...own, ...(await clients.list())];
  return all.filter(({ policy }) => refusals(policy, membership, clock.now()).length === 0);
}

export function upstreamName({ upstreams }: LinkSteps, id: string): string {
  return upstreams.list().find((upstream) => upstream.id === id)?.name ?? id;
}

/** Who asked for a link, as pages say it. */
export function requesterView(steps: LinkSteps, who: Requester): { who: string; upstreamName: string } {
  return { who: accountLabel(who), upstreamName: upstreamName(steps, who.upstreamId) };
}
