/**
 * Every page of the product filled with data, for the tests that look at all of them. A page without samples
 * doesn't compile. The first two samples of a page are made in every flavour, the others with ordinary names.
 */

import { type PageName, pages } from "../../src/ui/pages.ts";
import type { FieldErrorCode, LinkDeadPage, RefusalReason, SignedInAs, Site } from "../../src/ui/views.ts";
import { type Flavour, type FlavourName, flavours } from "./page-flavours.ts";

type View<Page> = Page extends (site: Site, ...rest: infer Rest) => string
  ? Rest extends [infer Data]
    ? Data
    : null
  : never;
type Views = { [Name in PageName]: View<(typeof pages)[Name]> };
type Samples = { [Name in PageName]: (data: Flavour) => Record<string, Views[Name]> };

/** Monday 23 November 2026, 16:30 in Copenhagen. */
const someTime = Date.UTC(2026, 10, 23, 15, 30);
const sameDay = someTime - 600_000;

const form = (data: Flavour, path: string) => ({
  action: `${data.site.basePath}${path}`,
  csrfToken: data.token,
});
const signedIn = (data: Flavour): SignedInAs => ({
  who: data.who,
  upstreamName: data.upstream.name,
  useAnotherAction: `${data.site.basePath}/interaction/abc/another`,
});
const account = (data: Flavour) => ({ who: data.who, upstreamName: data.upstream.name });
const fieldErrors = (field: string, message: FieldErrorCode) => [{ field, message }];
const each = <Key extends string, Value>(
  keys: readonly Key[],
  make: (key: Key) => Value,
): Record<string, Value> => Object.fromEntries(keys.map((key) => [key, make(key)]));

const deadReasons = [
  "bound_elsewhere",
  "unknown",
  "used",
  "cancelled",
  "superseded",
  "expired",
  "email_changed",
  "not_active",
  "bound_to_you",
  "cookie_missing",
] as const satisfies readonly LinkDeadPage["reason"][];

const samples: Samples = {
  home: () => ({ plain: null }),
  signIn: (data) => {
    const view = {
      portal: data.portal,
      form: form(data, "/interaction/abc/upstream"),
      notice: null,
      insufficient: null,
      back: form(data, "/interaction/abc/cancel"),
    };
    return {
      plain: view,
      failed: { ...view, notice: "failed" },
      cancelled: { ...view, notice: "cancelled" },
      signedOut: { ...view, notice: "signed_out" },
      noPortal: { ...view, portal: null },
      otherUpstream: { ...view, insufficient: { acr: [], amr: [] } },
      strongerProof: { ...view, insufficient: { acr: ["urn:example:mfa", "phr"], amr: ["pwd", "otp"] } },
    };
  },
  linkStep: (data) => {
    const view = {
      portal: data.portal,
      form: form(data, "/interaction/abc/email"),
      signedInAs: signedIn(data),
      supportUrl: `${data.site.basePath}/interaction/abc/support`,
      value: "",
      errors: [],
      askAgainInSeconds: null,
    };
    return {
      plain: view,
      tooSoon: { ...view, value: data.address, askAgainInSeconds: 45 },
      offered: { ...view, value: data.address, errors: fieldErrors("email", "email_plain") },
      wrong: { ...view, value: data.address, errors: fieldErrors("email", "email_format") },
      missing: { ...view, portal: null, errors: fieldErrors("email", "email_missing") },
    };
  },
  support: (data) => {
    const view = {
      portal: data.portal,
      form: form(data, "/interaction/abc/support"),
      signedInAs: signedIn(data),
      values: { name: data.who, organization: "", account_number: "", message: "" },
      errors: [],
      full: null,
      now: sameDay,
      backUrl: `${data.site.basePath}/interaction/abc/address`,
    };
    const wrong = [
      ...fieldErrors("name", "name_missing"),
      ...fieldErrors("organization", "organization_missing"),
    ];
    return {
      plain: view,
      wrong: {
        ...view,
        values: { ...view.values, name: "", message: `${data.who}\n${data.address}` },
        errors: wrong,
      },
      full: { ...view, full: { until: someTime } },
      fullHere: { ...view, portal: null, full: { until: null } },
    };
  },
  supportSent: (data) => ({
    plain: {
      portal: data.portal,
      reference: "KRTW-LMNP",
      backUrl: `${data.site.basePath}/interaction/abc/address`,
    },
    noPortal: {
      portal: null,
      reference: "KRTW-LMNP",
      backUrl: `${data.site.basePath}/interaction/abc/address`,
    },
  }),
  checkEmail: (data) => {
    const view = {
      now: sameDay,
      portal: data.portal,
      signedInAs: signedIn(data),
      address: data.address,
      isDeclined: false,
      senderAddress: data.sender,
      linkLifetimeMinutes: 30,
      resend: form(data, "/interaction/abc/resend"),
      resendInSeconds: 45,
      heldUntil: null,
      lookedAtBy: null,
      askedTooSoon: false,
      useAnotherAddressUrl: `${data.site.basePath}/interaction/abc?again`,
      continueUrl: `${data.site.basePath}/interaction/abc`,
      waitingUrl: `${data.site.basePath}/interaction/abc/waiting`,
      statusUrl: `${data.site.basePath}/interaction/abc/status`,
      code: "KRTW",
      linkedMeanwhile: [],
      whyNotUrl: `${data.site.basePath}/interaction/abc?why`,
    };
    return {
      plain: view,
      busy: { ...view, askedTooSoon: true, linkedMeanwhile: data.memberships },
      oneLinked: { ...view, linkedMeanwhile: [data.memberships[2]] },
      held: { ...view, heldUntil: someTime, resendInSeconds: 1900 },
      inTurn: { ...view, lookedAtBy: someTime },
      declined: { ...view, isDeclined: true },
      longAgo: { ...view, address: null, heldUntil: someTime, now: someTime - 86_400_000 },
      now: {
        ...view,
        portal: null,
        resendInSeconds: 0,
        linkedMeanwhile: [data.memberships[2]],
        whyNotUrl: null,
      },
    };
  },
  linkLanding: (data) => {
    const view = {
      membership: data.memberships[0],
      requester: account(data),
      code: "KRTW",
      expiresAt: someTime,
      now: sameDay,
      isCancelled: false,
      back: null,
      confirm: form(data, "/link/confirm"),
      decline: form(data, "/link/decline"),
    };
    const back = { portal: data.portal, form: form(data, "/interaction/abc/cancel") };
    return {
      plain: view,
      cancelled: { ...view, isCancelled: true, back },
      cancelledElsewhere: { ...view, isCancelled: true },
    };
  },
  wrongAccount: (data) => ({
    plain: {
      membership: data.memberships[0],
      requester: account(data),
      signedInAs: { who: data.other, upstreamName: data.upstream.name },
      retry: form(data, "/link/confirm"),
    },
  }),
  linked: (data) => ({
    plain: {
      membership: data.memberships[0],
      opens: data.site.portals.map((portal) => ({ ...portal, startUrl: `${portal.homeUrl}login` })),
    },
    nothing: { membership: data.memberships[1], opens: [] },
  }),
  linkDead: (data) =>
    each(deadReasons, (reason) =>
      reason === "unknown"
        ? { reason, membership: null, opens: null }
        : { reason, membership: data.memberships[0], opens: data.site.portals.slice(1) },
    ),
  linkCancelled: (data) => {
    const view = { membership: data.memberships[0], requester: account(data) };
    return { plain: { ...view, opens: data.site.portals.slice(1) }, nothing: { ...view, opens: [] } };
  },
  chooseProfile: (data) => {
    const view = {
      portal: data.portal,
      form: form(data, "/interaction/abc/profile"),
      signedInAs: signedIn(data),
      choices: data.memberships,
      selectedProfileId: "profile-2",
      currentProfileId: null,
      hintedProfileId: null,
      errors: [],
      linkAnotherUrl: `${data.site.basePath}/interaction/abc?link`,
    };
    const hinted = { ...view, currentProfileId: "profile-2", hintedProfileId: "profile-3" };
    return {
      plain: view,
      missing: { ...hinted, selectedProfileId: null, errors: fieldErrors("profile_id", "profile_missing") },
      hinted,
      lost: { ...view, selectedProfileId: null, currentProfileId: "profile-9", hintedProfileId: "profile-3" },
    };
  },
  notAdmitted: (data) => {
    const refusal = (index: 0 | 1 | 2, reasons: RefusalReason[], opens: boolean) => ({
      ...data.memberships[index],
      reasons,
      planExpiredAt: index === 0 ? someTime : null,
      opens: opens ? data.site.portals.slice(1) : [],
    });
    const view = {
      portal: data.portal,
      signedInAs: signedIn(data),
      linkAnotherUrl: `${data.site.basePath}/interaction/abc?link`,
      back: form(data, "/interaction/abc/cancel"),
      csrfToken: data.token,
    };
    return {
      plain: { ...view, refusals: [refusal(0, ["plan_expired"], true)] },
      several: {
        ...view,
        refusals: [
          refusal(0, ["plan_expired", "role_missing", "profile_disabled"], true),
          refusal(1, ["plan_suspended", "plan_expired", "organization_disabled"], false),
          refusal(2, ["kind_not_admitted", "plan_missing"], true),
        ],
      },
    };
  },
  upstreamProblem: (data) => {
    const view = { upstream: data.upstream, retryUrl: "/interaction/abc", requestId: "req-7f3a" };
    return {
      unavailable: { ...view, problem: "unavailable" },
      refused: { ...view, problem: "refused", retryUrl: null },
      rejected: { ...view, problem: "rejected" },
      stale: { ...view, problem: "stale" },
      unavailableNoRetry: { ...view, problem: "unavailable", retryUrl: null },
      refusedRetry: { ...view, problem: "refused" },
      rejectedNoRetry: { ...view, problem: "rejected", retryUrl: null, upstream: null },
      staleNoRetry: { ...view, problem: "stale", retryUrl: null },
    };
  },
  signInLost: (data) => ({
    expired: { reason: "expired", portal: null },
    cookies: { reason: "cookies_blocked", portal: data.portal },
    otherBrowser: { reason: "other_browser", portal: null },
    finished: { reason: "already_finished", portal: data.portal },
    finishedNoPortal: { reason: "already_finished", portal: null },
  }),
  signOut: (data) => {
    const view = {
      portal: data.portal,
      staysKnown: { upstream: data.upstream.name, portals: [data.portal.name] },
      form: { action: "/session/end/confirm", xsrf: data.token },
      automatic: false,
    };
    return {
      plain: { ...view, purpose: "sign_out" },
      everyPortalIsTold: {
        ...view,
        purpose: "sign_out",
        staysKnown: { upstream: data.upstream.name, portals: [] },
      },
      nobodyKnowsWhere: { ...view, purpose: "sign_out", staysKnown: { upstream: null, portals: null } },
      switchAccount: { ...view, purpose: "switch_account" },
      nothingLeft: { ...view, purpose: "nothing_left" },
      noPortal: { ...view, purpose: "sign_out", portal: null },
      switchAccountNoPortal: { ...view, purpose: "switch_account", portal: null },
      nothingLeftNoPortal: { ...view, purpose: "nothing_left", portal: null },
    };
  },
  signedOut: (data) => ({
    plain: { portal: data.portal, staysKnown: { upstream: data.upstream.name, portals: null } },
    noPortal: { portal: null, staysKnown: { upstream: null, portals: null } },
  }),
  error: (data) => ({
    portalMistake: {
      status: 400,
      code: "invalid_redirect_uri",
      kind: "portal_mistake",
      requestId: "req-7f3a",
      retryAfterSeconds: null,
      portal: data.portal,
      retryUrl: null,
    },
    tooManyUntil: {
      status: 429,
      code: null,
      kind: "too_many",
      requestId: "req-7f3a",
      retryAfterSeconds: 250,
      portal: null,
      retryUrl: null,
    },
    unread: {
      status: 431,
      code: null,
      kind: "too_large",
      requestId: "",
      retryAfterSeconds: null,
      portal: null,
      retryUrl: null,
    },
    retry: {
      status: 503,
      code: null,
      kind: "unavailable",
      requestId: "req-7f3a",
      retryAfterSeconds: null,
      portal: null,
      retryUrl: "/interaction/abc",
    },
    ...each(
      [
        "internal",
        "bad_request",
        "forbidden",
        "not_found",
        "too_many",
        "too_large",
        "too_slow",
        "unavailable",
        "portal_mistake",
      ] as const,
      (kind) => ({
        status: 500,
        code: null,
        kind,
        requestId: "req-7f3a",
        retryAfterSeconds: null,
        portal: null,
        retryUrl: null,
      }),
    ),
  }),
  help: (data) => ({ plain: { senderAddress: data.sender, linkLifetimeMinutes: 30 } }),
};

export interface PageSample {
  page: PageName;
  flavour: FlavourName;
  variant: string;
  html: string;
}

const renderers: { [Name in PageName]: (site: Site, view: Views[Name]) => string } = pages;

function samplesOf<Name extends PageName>(page: Name, flavour: FlavourName): PageSample[] {
  const data: Flavour = flavours[flavour];
  const all = Object.entries<Views[Name]>(samples[page](data));
  const chosen = flavour === "ordinary" ? all : all.slice(0, 2);
  return chosen.map(([variant, view]) => ({
    page,
    flavour,
    variant,
    html: renderers[page](data.site, view),
  }));
}

export const pageNames = Object.keys(pages) as PageName[];

/** Every page in every flavour and variant, rendered. */
export function pageSamples(): PageSample[] {
  const names = Object.keys(flavours) as FlavourName[];
  return pageNames.flatMap((page) => names.flatMap((flavour) => samplesOf(page, flavour)));
}
