/**
 * The rules of a link's life in the plainest words: what is owed, bound, dead and audited after each thing
 * that happens. It takes no rule from src/, so that it can't be wrong in the same way. Ids are given to it by
 * lifecycle-deployment.ts, which compares it with the real thing.
 */

const linkLifeMs = 30 * 60_000;
const unsentLifeMs = 7 * 24 * 3_600_000;
const answerLeaseMs = 30_000;
const mailLeaseMs = 60_000;
const giveUpMs = 48 * 3_600_000;
/** Between an inquiry and the worker's first look at it. */
export const answerDelayMs = 250;

export interface ModelOrganization {
  id: string;
  enabled: boolean;
}

export interface ModelProfile {
  id: string;
  organization: ModelOrganization;
  email: string;
  version: number;
  provenVersion: number | null;
  enabled: boolean;
  boundTo: number | null;
}

export interface ModelInquiry {
  id: string;
  who: number;
  /** The mailbox that was typed, in lower case; null for what is no address. */
  mailbox: string | null;
  dueAt: number;
  settled: boolean;
}

export type MailKind =
  | "link"
  | "already_linked"
  | "linked_elsewhere"
  | "not_active"
  | "linked_notice"
  | "admin_invitation"
  | "administrator_linked"
  | "address_added"
  | "address_removed";

export interface ModelMail {
  id: string;
  kind: MailKind;
  profile: ModelProfile;
  to: string;
  link: ModelLink | null;
  createdAt: number;
  dueAt: number;
  attempts: number;
  state: "queued" | "sent" | "failed" | "dropped";
}

export interface ModelLink {
  id: string;
  secret: string;
  who: number;
  profile: ModelProfile;
  version: number;
  state: "pending" | "bound" | "cancelled" | "superseded" | "void";
  /** Who declined it. */
  cancelledBy?: number;
  expiresAt: number;
  /** Whether somebody can have seen the secret. */
  mailed: boolean;
}

/** An audit event in short: action, profile, who did it, what else it says. */
export type ModelEvent = string;

/** What a mail comes to at the mail server. */
export type Reception = "taken" | "refused" | "rejected";

export class LifecycleModel {
  now: number;
  readonly profiles: ModelProfile[];
  readonly inquiries: ModelInquiry[] = [];
  readonly links: ModelLink[] = [];
  /** In the order in which they were written. */
  readonly mails: ModelMail[] = [];
  /** What was audited since it was last looked at. */
  events: ModelEvent[] = [];
  /** Refusals that were audited, with their links. */
  private readonly noted = new Set<string>();

  constructor(now: number, profiles: ModelProfile[]) {
    this.now = now;
    this.profiles = profiles;
  }

  /** The inquiry that is due longest, of equals the one asked first, kept from others for a while. */
  claimInquiry(): ModelInquiry | undefined {
    const due = this.inquiries.filter(({ settled, dueAt }) => !settled && dueAt <= this.now);
    const [first] = due.toSorted((one, other) => one.dueAt - other.dueAt);
    if (first !== undefined) first.dueAt = this.now + answerLeaseMs;
    return first;
  }

  /** What an inquiry must be answered with, one entry for each profile at the mailbox. */
  answers({ who, mailbox }: ModelInquiry): { kind: MailKind; profile: ModelProfile }[] {
    if (mailbox === null) return [];
    return this.profiles
      .filter(({ email }) => email.toLowerCase() === mailbox)
      .map((profile) => {
        if (!isActive(profile)) return { kind: "not_active", profile };
        if (profile.boundTo === null) return { kind: "link", profile };
        return { kind: profile.boundTo === who ? "already_linked" : "linked_elsewhere", profile };
      });
  }

  settle(
    inquiry: ModelInquiry,
    written: {
      id: string;
      kind: MailKind;
      profile: ModelProfile;
      link: { id: string; secret: string } | null;
    }[],
  ) {
    inquiry.settled = true;
    for (const { id, kind, profile, link } of written) {
      let made: ModelLink | null = null;
      if (link !== null) {
        for (const older of this.links) {
          if (older.state === "pending" && older.profile === profile && older.who === inquiry.who)
            older.state = "superseded";
        }
        made = {
          ...link,
          who: inquiry.who,
          profile,
          version: profile.version,
          state: "pending" as const,
          expiresAt: this.now + unsentLifeMs,
          mailed: false,
        };
        this.links.push(made);
        this.events.push(`link.requested ${profile.id} by ${inquiry.who}`);
      }
      this.owe(id, kind, profile, made);
    }
  }

  owe(id: string, kind: MailKind, profile: ModelProfile, link: ModelLink | null): void {
    const { now } = this;
    this.mails.push({
      id,
      kind,
      profile,
      to: profile.email,
      link,
      createdAt: now,
      dueAt: now,
      attempts: 0,
      state: "queued",
    });
  }

  /**
   * The next mail to hand over, dropping those whose link died while they waited. A link's life starts here.
   */
  claimMail(): ModelMail | undefined {
    for (;;) {
      let first: ModelMail | undefined;
      for (const mail of this.mails) {
        if (mail.state !== "queued" || mail.dueAt > this.now) continue;
        if (first === undefined || mail.dueAt < first.dueAt) first = mail;
      }
      if (first === undefined) return undefined;
      if (first.link !== null && first.link.state !== "pending") {
        first.state = "dropped";
        continue;
      }
      first.attempts += 1;
      first.dueAt = this.now + mailLeaseMs;
      if (first.link !== null) first.link.expiresAt = this.now + linkLifeMs;
      return first;
    }
  }

  handOver(mail: ModelMail, reception: Reception): void {
    if (mail.link !== null) mail.link.mailed = true;
    if (reception === "taken") mail.state = "sent";
    if (reception === "rejected") mail.state = "failed";
    if (reception !== "refused") return;
    // 15 seconds, doubled up to an hour; the deployment has chance give three quarters of it.
    const retryAt = this.now + Math.min(15_000 * 2 ** (mail.attempts - 1), 3_600_000) * 0.75;
    if (retryAt > mail.createdAt + giveUpMs) mail.state = "failed";
    else mail.dueAt = retryAt;
  }

  /** Why a link binds nothing, as told to `viewer`; undefined while it is alive. */
  deadReason({ state, expiresAt, version, profile }: ModelLink, viewer: number): string | undefined {
    if (state === "bound") return "used";
    if (state === "cancelled" || state === "superseded") return state;
    if (state === "pending" && this.now >= expiresAt) return "expired";
    if (profile.version !== version) return "email_changed";
    if (!isActive(profile)) return "not_active";
    if (profile.boundTo !== null) return profile.boundTo === viewer ? "bound_to_you" : "bound_elsewhere";
    return state === "void" ? "expired" : undefined;
  }

  /** What redeeming comes to; `noticeId` is of the mail that is owed then. */
  redeem(link: ModelLink | undefined, who: number, isRightUpstream: boolean, noticeId: string): string {
    if (link === undefined) return "unknown";
    const { profile } = link;
    const reason = this.deadReason(link, who);
    if (reason !== undefined) {
      if (reason !== "used" || profile.boundTo !== who) this.refuse("redeem", reason, link, who);
      return `dead ${reason}`;
    }
    if (link.who !== who || !isRightUpstream) {
      this.refuse("redeem", "wrong_account", link, who);
      return "wrong_account";
    }
    link.state = "bound";
    profile.boundTo = who;
    profile.provenVersion = profile.version;
    this.kill(profile);
    this.events.push(`profile.bound ${profile.id} by ${who}`);
    this.owe(noticeId, "linked_notice", profile, null);
    return "bound";
  }

  decline(link: ModelLink | undefined, who: number): string {
    if (link === undefined) return "unknown";
    const reason = this.deadReason(link, who);
    if (reason !== undefined) {
      // Who declined it and does so again is refused nothing.
      if (reason !== "cancelled" || link.cancelledBy !== who) this.refuse("decline", reason, link, who);
      return `dead ${reason}`;
    }
    link.state = "cancelled";
    link.cancelledBy = who;
    this.events.push(`link.cancelled ${link.profile.id} by ${who}`);
    return "cancelled";
  }

  editEmail(profile: ModelProfile, email: string): void {
    if (profile.email === email) return;
    profile.email = email;
    profile.version += 1;
    this.kill(profile);
    this.events.push(`profile.email_changed ${profile.id}`);
  }

  switchProfile(profile: ModelProfile, enabled: boolean): void {
    if (profile.enabled !== enabled) this.events.push(`profile.changed ${profile.id}`);
    profile.enabled = enabled;
    if (!enabled) this.kill(profile);
  }

  switchOrganization(organization: ModelOrganization, enabled: boolean): void {
    if (organization.enabled !== enabled) this.events.push(`organization.changed ${organization.id}`);
    organization.enabled = enabled;
    if (enabled) return;
    for (const profile of this.profiles) if (profile.organization === organization) this.kill(profile);
  }

  unbind(profile: ModelProfile, from: number | "anybody"): boolean {
    if (profile.boundTo === null || (from !== "anybody" && profile.boundTo !== from)) return false;
    profile.boundTo = null;
    profile.provenVersion = null;
    this.kill(profile);
    this.events.push(`profile.unbound ${profile.id}`);
    return true;
  }

  /** When the next mail may be due. */
  get nextMailAt(): number | undefined {
    const times = this.mails.filter(({ state }) => state === "queued").map(({ dueAt }) => dueAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  private kill(profile: ModelProfile): void {
    for (const link of this.links)
      if (link.profile === profile && link.state === "pending") link.state = "void";
  }

  /** Noted once for each link, person and reason. */
  private refuse(attempted: string, reason: string, { id, profile }: ModelLink, who: number): void {
    const event = `link.refused ${profile.id} by ${who}: ${attempted} ${reason}`;
    const noted = `${id} ${event}`;
    if (!this.noted.has(noted)) this.events.push(event);
    this.noted.add(noted);
  }
}

function isActive({ enabled, organization }: ModelProfile): boolean {
  return enabled && organization.enabled;
}
