/**
 * Fills a store with the demo's organizations and profiles, through the contract alone. Three people are
 * bound as the journey would bind them: inquiry, link request, redemption; the mails of that are settled
 * here, unsent.
 */

import type { Clock, Instant, Milliseconds } from "../clock.ts";
import { parseAddress } from "../domain/address.ts";
import { asInquiryId, asLinkRequestId, asOrganizationId, asProfileId, asUpstreamId } from "../domain/ids.ts";
import { NEW_ORGANIZATION } from "../domain/record-fields.ts";
import type { AccountId, Membership, Organization, Requester, SignedInIdentity } from "../domain/records.ts";
import { hashSecret, randomId, randomSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { NewLink, Store } from "../storage/contract.ts";
import { type Expectation, type SeedProfile, seeds } from "./people.ts";
import { seededSubject } from "./upstream-accounts.ts";

/** The demo upstream's id in the broker's configuration. */
export const DEMO_UPSTREAM_ID = asUpstreamId("fabrikam");

const ACTOR = "system";
const DAY_MS: Milliseconds = 24 * 60 * 60 * 1000;
const LEASE_MS: Milliseconds = 60_000;
const REQUEST_LIFE_MS: Milliseconds = 60_000;

/** Whose profiles are bound at seeding. */
const bound: ReadonlySet<Expectation> = new Set(["plan_lapsed", "disabled", "partner_only"]);

function organizations(now: Instant): Organization[] {
  const make = (
    kind: Organization["kind"],
    [id, name, accountNumber]: [string, string, string],
    plan: Organization["plan"],
  ): Organization => ({ ...NEW_ORGANIZATION, id: asOrganizationId(id), name, accountNumber, kind, plan });
  const nextYear = { status: "active", expiresAt: now + 365 * DAY_MS } as const;
  const lastMonth = { status: "active", expiresAt: now - 30 * DAY_MS } as const;
  const noPlan = { status: "none", expiresAt: null } as const;
  return [
    make("customer", ["org-harbour-foods", "Harbour Foods Ltd", "C-10418"], nextYear),
    make("customer", ["org-andes-textiles", "Andes Textiles S.A.", "C-10752"], nextYear),
    make("customer", ["org-bahia-logistics", "Bahía Blanca Logistics", "C-11309"], nextYear),
    make("customer", ["org-solberg-shipping", "Solberg Shipping AS", "C-11877"], lastMonth),
    make("customer", ["org-cedar-medical", "Cedar Medical Supplies", "C-12006"], nextYear),
    make("partner", ["org-fernandez-consulting", "Fernández Consulting", "P-20077"], noPlan),
    make("partner", ["org-kitano-systems", "Kitano Systems KK", "P-20145"], noPlan),
    make("partner", ["org-lotus-partners", "Lotus Implementation Partners", "P-20390"], noPlan),
    make("operator", ["org-contoso", "Contoso", "O-1"], noPlan),
  ];
}

/**
 * Seeds a store once; later calls change nothing, so what people have done since stays. A seeding that was
 * cut short is taken up again. Call it before the workers of the service start.
 */
export async function seedDirectory(store: Store, clock: Clock, upstreamIssuer: string): Promise<void> {
  const administrators = seeds.flatMap(({ profiles }) =>
    profiles.filter(({ adminRole }) => adminRole !== undefined),
  );
  const known = await Promise.all(
    administrators.map(({ id }) => store.directory.membership(asProfileId(id))),
  );
  if (known.every((one) => one !== undefined && one.profile.adminRole !== null)) return;
  const now = clock.now();
  for (const organization of organizations(now))
    await store.directory.putOrganization(organization, ACTOR, now);
  for (const seed of seeds) await seedPerson(store, clock, upstreamIssuer, seed);
  await settleMails(store, clock);
  // Last: that they are there says that a store was seeded to the end.
  for (const { id: profileId, adminRole = null } of administrators) {
    await store.administration.apply(
      { kind: "set_admin_role", profileId: asProfileId(profileId), adminRole },
      { actor: ACTOR, now },
    );
  }
}

async function seedPerson(
  store: Pick<Store, "accounts" | "directory" | "links">,
  clock: Clock,
  upstreamIssuer: string,
  seed: (typeof seeds)[number],
): Promise<void> {
  const email = seed.registered_email;
  const emailKey = parseAddress(email)?.key;
  if (emailKey === undefined) throw LiaisonError.badRequest(`${email} is no email address.`);
  const put = ({ id, organizationId, roles }: SeedProfile, enabled: boolean) =>
    store.directory.putProfile(
      {
        id: asProfileId(id),
        organizationId: asOrganizationId(organizationId),
        email,
        emailKey,
        name: seed.name,
        roles,
        enabled,
      },
      ACTOR,
      clock.now(),
    );

  for (const profile of seed.profiles) {
    await put(profile, true);
    if (!bound.has(seed.expect)) continue;
    await bind(store, clock, profile.id, {
      issuer: upstreamIssuer,
      subject: seededSubject(seed.username),
      upstreamId: DEMO_UPSTREAM_ID,
      email: seed.upstreamEmail,
      displayName: seed.name,
    });
    // Bound first, switched off then: an organization can do that to a linked profile, a link can't be
    // redeemed after it.
    if (seed.expect === "disabled") await put(profile, false);
  }
}

/** Binds a profile as the journey does. Does nothing for one that is bound already. */
async function bind(
  store: Pick<Store, "accounts" | "directory" | "links">,
  clock: Clock,
  profileId: string,
  identity: SignedInIdentity,
): Promise<void> {
  const membership = await store.directory.membership(asProfileId(profileId));
  if (membership === undefined || membership.profile.accountId !== null) return;
  const { id: accountId } = await store.accounts.signIn(identity, clock.now());
  const secret = randomSecret();
  const link = await makeLink(store, clock, membership, { ...identity, accountId }, secret);
  const redeemed = await store.links.redeem(
    { requestId: link.request.id, secretHash: link.request.secretHash, identity, accountId },
    newMailIds(),
    clock.now(),
  );
  if (redeemed.result !== "bound") throw LiaisonError.storeRefused(`Seeding couldn't bind ${profileId}.`);
}

async function makeLink(
  store: Pick<Store, "links">,
  clock: Clock,
  { profile, organization }: Membership,
  requester: Requester & { accountId: AccountId },
  secret: string,
): Promise<NewLink> {
  const worker = randomId();
  const inquiryId = asInquiryId(randomId());
  const now = clock.now();
  // Without an address: should this be cut short, the service's own worker settles the inquiry with nothing.
  await store.links.inquire({
    id: inquiryId,
    requester,
    address: null,
    interactionCid: `seed:${inquiryId}`,
    createdAt: now,
    notBefore: now,
    settledAt: null,
  });
  const requestId = asLinkRequestId(randomId());
  const { upstreamId, email, displayName } = requester;
  const link: NewLink = {
    request: {
      id: requestId,
      inquiryId,
      secretHash: hashSecret(secret),
      purpose: "link_profile",
      requester,
      profileId: profile.id,
      emailVersion: profile.emailVersion,
      createdAt: now,
      expiresAt: now + REQUEST_LIFE_MS,
    },
    mail: {
      ...newMailIds(),
      to: profile.email,
      content: {
        kind: "link",
        requestId,
        secret,
        profileName: profile.name,
        organizationName: organization.name,
        requester: { upstreamId, email, displayName },
      },
    },
  };
  let claimed = await store.links.claimInquiry(worker, clock.now(), LEASE_MS);
  while (claimed !== undefined) {
    const links = claimed.id === inquiryId ? [link] : [];
    await store.links.settleInquiry(claimed.id, worker, { links, mails: [] }, clock.now());
    claimed = await store.links.claimInquiry(worker, clock.now(), LEASE_MS);
  }
  return link;
}

function newMailIds(): { id: string; messageId: string } {
  const id = randomId();
  return { id, messageId: `${id}@seed.localhost` };
}

/**
 * Takes what seeding queued out of the outbox: nobody waits for these mails, and they would confuse in the
 * inbox. Nobody else works on the store yet, so the leases end at once: real ones would outlive a seeding
 * that was cut short.
 */
async function settleMails(store: Pick<Store, "outbox">, clock: Clock): Promise<void> {
  const worker = randomId();
  const claim = () => store.outbox.claim(worker, clock.now(), 0, REQUEST_LIFE_MS);
  for (let claimed = await claim(); claimed !== undefined; claimed = await claim()) {
    await store.outbox.markSent(claimed.message.id, worker, "settled at seeding, not sent", clock.now());
  }
}
