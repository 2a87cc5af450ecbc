/**
 * Records of the administration as the operations give them, in a flavour's names: what the samples of its
 * pages show.
 */

import { operations } from "../../src/admin/definitions/operations.ts";
import type { TimelineWhat } from "../../src/domain/link.ts";
import { CONSOLE_CLIENT_ID } from "../../src/domain/records.ts";
import type {
  AccountSessionView,
  AccountView,
  AuditEventView,
  ConsoleFrame,
  GrantView,
  InquiryView,
  MailView,
  MetricsView,
  Names,
  OrganizationView,
  ProfileView,
  TimelineView,
  VerificationView,
} from "../../src/ui/console/views.ts";
import type { Flavour } from "./page-flavours.ts";

export const SOME_TIME = "2026-11-23T15:30:00Z";
export const EARLIER = "2026-11-20T07:05:00Z";
/** As long as ids get: those of other systems. */
export const LONG_ID = "a".repeat(128);
export const ACCOUNT_ID = "1c9e5b0e-6f0a-4f2e-9c55-5d9a52b7c0de";

export const consoleFrame = (data: Flavour): ConsoleFrame => ({
  who: data.memberships[0].profileName,
  role: "owner",
  sections: [
    "overview",
    "clients",
    "organizations",
    "people",
    "accounts",
    "links",
    "mail",
    "why",
    "administrators",
    "keys",
    "audit",
  ],
  signOut: { action: `${data.site.basePath}/admin/sign-out`, csrfToken: data.token },
  done: null,
});

export function organizationsOf(data: Flavour): OrganizationView[] {
  const plan = { status: "active", expires_at: null, last_day: null, time_zone: data.site.timeZone } as const;
  return data.memberships.map(({ organizationName, accountNumber, kind }, index) => ({
    id: index === 0 ? LONG_ID : `org-${index}`,
    name: organizationName,
    account_number: accountNumber,
    kind,
    plan: index === 1 ? { ...plan, expires_at: "2026-09-30T22:00:00Z", last_day: "2026-09-30" } : plan,
    enabled: index !== 2,
  }));
}

export function profilesOf(data: Flavour): ProfileView[] {
  const organizations = organizationsOf(data);
  return data.memberships.flatMap(({ profileName }, index): ProfileView[] => {
    const organization = organizations[index];
    if (organization === undefined) return [];
    const isLinked = index === 0;
    return [
      {
        id: isLinked ? LONG_ID : `profile-${index}`,
        organization_id: organization.id,
        organization,
        email: data.address,
        email_proven: isLinked,
        name: profileName,
        roles: ["buyer", "report-reader"],
        enabled: index !== 2,
        admin_role: index === 1 ? "support" : "owner",
        invited_at: index === 1 ? EARLIER : null,
        account_id: isLinked ? ACCOUNT_ID : null,
        linked_at: isLinked ? EARLIER : null,
      },
    ];
  });
}

export function accountsOf(data: Flavour): AccountView[] {
  const identity = {
    upstream_id: data.upstream.id,
    issuer: "https://id1.example/tenants/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    subject: LONG_ID,
    email: data.who,
    name: data.memberships[0].profileName,
    created_at: EARLIER,
    last_sign_in_at: SOME_TIME,
  };
  return [
    { id: ACCOUNT_ID, created_at: EARLIER, identities: [identity] },
    { id: "2d0f", created_at: EARLIER, identities: [{ ...identity, email: null, name: null }] },
  ];
}

const session = (data: Flavour) => ({
  browser: `Firefox on ${data.other}`,
  network: "2001:db8:1234:5678::/64",
  begun_at: EARLIER,
  last_used_at: SOME_TIME,
});

/**
 * One with portals, one that only the browser has, one that a refresh token outlived, one of a version
 * before.
 */
export function sessionsOf(data: Flavour): AccountSessionView[] {
  const ids = data.site.portals.map(({ id }) => id);
  const kept = session(data);
  return [
    { id: "s-1", account_id: ACCOUNT_ID, client_ids: ids, session: kept },
    { id: "s-2", account_id: ACCOUNT_ID, client_ids: [], session: { ...kept, network: "192.0.2.17" } },
    { id: "s-3", account_id: ACCOUNT_ID, client_ids: [CONSOLE_CLIENT_ID], session: null },
    {
      id: "s-4",
      account_id: ACCOUNT_ID,
      client_ids: [],
      session: { browser: null, network: null, begun_at: null, last_used_at: null },
    },
  ];
}

export const grantsOf = (data: Flavour): GrantView[] =>
  data.site.portals.map(({ id }, index) => ({
    id: `grant-${index}`,
    session_id: "s-1",
    client_id: id,
    account_id: ACCOUNT_ID,
    profile_id: LONG_ID,
    expires_at: SOME_TIME,
    session: index === 0 ? session(data) : null,
  }));

export function inquiriesOf(data: Flavour): InquiryView[] {
  const requester = {
    account_id: ACCOUNT_ID,
    upstream_id: data.upstream.id,
    subject: LONG_ID,
    email: data.who,
    name: null,
  };
  const asked = { requester, asked_at: SOME_TIME, settled_at: SOME_TIME, held_until: null };
  return [
    { id: "inquiry-1", code: "KRTW", ...asked, matched: 3 },
    { id: "inquiry-2", code: "LMNP", ...asked, matched: 0 },
    { id: "inquiry-3", code: "QRST", ...asked, settled_at: null, held_until: SOME_TIME, matched: null },
  ];
}

/** Everything that a time line can say, in one. */
export function timelineOf(data: Flavour): TimelineView {
  const [inquiry] = inquiriesOf(data);
  if (inquiry === undefined) throw new TypeError("there is an inquiry");
  const entry = (what: TimelineWhat, detail: string | null = null) => ({
    at: SOME_TIME,
    what,
    request_id: "request-1",
    profile_id: null,
    detail,
  });
  const refused = `connect ECONNREFUSED 192.0.2.25:587: nothing listens there. ${data.other}`;
  return {
    ...inquiry,
    entries: [
      entry("asked"),
      entry("held", SOME_TIME),
      entry("matched", "3"),
      { ...entry("requested"), profile_id: LONG_ID },
      entry("mail_held", SOME_TIME),
      entry("mail_deferred", refused),
      entry("mail_sent", "250 2.0.0 Ok: queued as 4XyzAbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
      entry("mail_carried", LONG_ID),
      entry("mail_released", `admin:${LONG_ID}`),
      entry("opened"),
      entry("reauthenticated", `account:${ACCOUNT_ID}`),
      { ...entry("bound", `account:${ACCOUNT_ID}`), profile_id: "profile-gone" },
      entry("refused", "wrong_account"),
      entry("mail_bounced", "5.1.1 The mailbox doesn't exist"),
      entry("mail_failed", refused),
      entry("mail_dropped"),
      entry("mail_resent", "key:key-gone"),
      entry("cancelled", `account:${ACCOUNT_ID}`),
      entry("superseded"),
      entry("void"),
      entry("expired"),
      entry("dismissed"),
    ],
  };
}

export function mailsOf(data: Flavour): MailView[] {
  const mail = (state: MailView["state"], kind: string, reason: string | null): MailView => ({
    id: `mail-${state}`,
    to: data.address,
    kind,
    state,
    attempts: 3,
    created_at: EARLIER,
    next_attempt_at: SOME_TIME,
    sent_at: null,
    bounced_at: null,
    inquiry_id: kind === "link" ? "inquiry-1" : null,
    request_id: null,
    carried_by: null,
    reason,
  });
  return [
    mail("held", "link", null),
    mail(
      "queued",
      "link",
      "The mail server mail.contoso.example refused the connection: check mail.smtp.host and port.",
    ),
    mail("sent", "linked_notice", "250 2.0.0 Ok: queued as 4XyzAbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
    mail("bounced", "link", "5.1.1 smtp;550-5.1.1_The_email_account_that_you_tried_to_reach_does_not_exist"),
    mail("failed", "admin_invitation", "535 5.7.8 Authentication failed: check mail.smtp.user and password."),
    mail("carried", "collected", null),
    mail("dropped", "link", null),
  ];
}

/** What the console's pages call those records by; the key and one profile are gone. */
export function namesOf(data: Flavour): Names {
  return new Map([
    ...profilesOf(data).map(({ id, name }): [string, string] => [`profile:${id}`, name]),
    ...organizationsOf(data).map(({ id, name }): [string, string] => [`organization:${id}`, name]),
    [`account:${ACCOUNT_ID}`, data.who],
  ]);
}

export function eventsOf(data: Flavour): AuditEventView[] {
  const event = (
    id: string,
    action: string,
    actor: string,
    detail: AuditEventView["detail"],
  ): AuditEventView => ({
    id,
    at: SOME_TIME,
    action,
    actor,
    profile_id: LONG_ID,
    organization_id: null,
    account_id: null,
    request_id: null,
    detail,
  });
  return [
    event("1", "profile.bound", `account:${ACCOUNT_ID}`, { upstream: data.upstream.id, subject: LONG_ID }),
    {
      ...event("2", "organization.edited", `admin:${LONG_ID}`, { name: data.who }),
      organization_id: LONG_ID,
    },
    { ...event("3", "client.secret_rotated", "key:key-gone", { client: data.portal.id }), profile_id: null },
    {
      ...event("4", "audit.pruned", "worker:retention", { count: 12, keptUntil: 1795000000000 }),
      profile_id: "gone",
    },
  ];
}

export function verificationsOf(): VerificationView[] {
  const waiting: VerificationView = {
    id: "v-1",
    url: "https://signin.contoso.example/admin/api/v1/audit/verifications/v-1",
    state: "waiting",
    kept_head: LONG_ID,
    asked_by: `admin:${LONG_ID}`,
    asked_at: SOME_TIME,
    started_at: null,
    ended_at: null,
    verified: 0,
    total: null,
    result: null,
    failure: null,
  };
  const ended = {
    ...waiting,
    state: "finished",
    started_at: SOME_TIME,
    ended_at: SOME_TIME,
    total: 40_321,
  } as const;
  const result = { intact: true, verified: 40_321, unsealed: 2, pruned: 12, head: LONG_ID, problem: null };
  return [
    waiting,
    { ...waiting, id: "v-2", state: "running", verified: 12_000, total: 40_321 },
    { ...ended, id: "v-3", verified: 40_321, result },
    {
      ...ended,
      id: "v-4",
      verified: 17,
      result: {
        ...result,
        intact: false,
        head: null,
        problem: `event 17 (${LONG_ID}) isn't what was sealed`,
      },
    },
    { ...ended, id: "v-5", state: "failed", failure: "the database can't be reached" },
  ];
}

export function figuresOf(data: Flavour): MetricsView {
  const points = Array.from({ length: 24 }, (_, hour) => ({
    at: `2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`,
    count: (hour * 7) % 23,
  }));
  const names = operations.figures.get.output.shape.series.element.shape.name.options;
  return {
    from: "2026-11-22T16:00:00Z",
    to: "2026-11-23T16:00:00Z",
    step_seconds: 3600,
    series: names.map((name) => ({
      name,
      upstream_id: name.startsWith("upstream_") ? data.upstream.id : null,
      total: 253,
      points,
    })),
  };
}
