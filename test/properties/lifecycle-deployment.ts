/**
 * Runs lifecycles on the real store, linking service and workers, and holds them after each step against the
 * model. One file serves all lifecycles of a series, as it would in life; each begins after the one before
 * has come to rest.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { parseAddress } from "../../src/domain/address.ts";
import {
  type AccountId,
  asLinkRequestId,
  type OrganizationId,
  type ProfileId,
} from "../../src/domain/ids.ts";
import type { AuditEvent, MailContent, SignedInIdentity } from "../../src/domain/records.ts";
import { hashSecret } from "../../src/domain/secrets.ts";
import { createInquiryWorker, type InquiryWorker } from "../../src/linking/inquiry-worker.ts";
import { createLinking, type Linking } from "../../src/linking/linking.ts";
import { MailError } from "../../src/mail/failures.ts";
import { createOutboxWorker, type OutboxWorker } from "../../src/mail/outbox-worker.ts";
import type { LinkStore, Store } from "../../src/storage/contract.ts";
import { type TemporaryFile, temporaryFile } from "../contract/sqlite-support.ts";
import { PLENTY, PLENTY_FOR_A_MAILBOX } from "../support/records.ts";
import { answerDelayMs, type Reception } from "./lifecycle-model.ts";

/** A mail as the store was given it. */
export interface WrittenMail {
  id: string;
  to: string;
  content: MailContent;
}

/** A mail as the mail server was given it. */
interface HandedOver {
  messageId: string;
  to: string;
  content: MailContent;
  linkExpiresAt: number | null;
}

export const linkLifetimeMs = 30 * 60_000;
const settings = {
  mailDomain: "liaison.example",
  lookupDelayMs: { min: answerDelayMs, max: answerDelayMs },
  pauseSeconds: 0,
  inquiryLimits: { identity: PLENTY, client: PLENTY },
  mailLimits: { mailbox: PLENTY_FOR_A_MAILBOX, profile: PLENTY },
};
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

export class LifecycleDeployment {
  now = 1_800_000_000_000;
  /** Of all lifecycles: no secret may ever be in two. */
  readonly mailOfSecret = new Map<string, string>();
  readonly messageIdOf = new Map<string, string>();
  /** What the inquiry worker wrote since it was last looked at, in order. */
  settled: { inquiryId: string; mails: WrittenMail[] }[] = [];
  /** The ids of the notices that redemptions were given, in order. */
  notices: string[] = [];
  handedOver: HandedOver[] = [];
  receive: (to: string) => Reception = () => "taken";
  readonly store: Store;
  readonly linking: Linking;
  readonly outbox: OutboxWorker;
  readonly #file: TemporaryFile;
  readonly #raw: DatabaseSync;
  readonly #links: LinkStore;
  readonly #clock = { now: () => this.now };

  private constructor(file: TemporaryFile, store: Store) {
    this.#file = file;
    this.store = store;
    this.#raw = new DatabaseSync(file.file, { readOnly: true });
    this.#links = this.#recording(store.links);
    this.linking = createLinking({ links: this.#links, audit: store.audit, clock: this.#clock, settings });
    this.outbox = createOutboxWorker({
      outbox: store.outbox,
      clock: this.#clock,
      logger: quiet,
      workerId: "courier",
      linkLifetimeMs,
      concurrency: 1,
      random: () => 0.5,
      throttles: store.throttles,
      limits: { mailbox: PLENTY_FOR_A_MAILBOX, profile: PLENTY, all: PLENTY },
      render: (content, { linkExpiresAt }) => ({
        subject: "",
        html: "",
        text: JSON.stringify({ content, linkExpiresAt }),
      }),
      transport: {
        close: async () => {},
        send: async ({ messageId, to, text }) => {
          this.noteHandOver({
            messageId,
            to,
            ...(JSON.parse(text) as Pick<HandedOver, "content" | "linkExpiresAt">),
          });
          const reception = this.receive(to);
          if (reception !== "taken")
            throw new MailError(
              reception === "rejected" ? "recipient_refused" : "recipient_deferred",
              "not taken",
            );
          return { reply: "250 taken" };
        },
      },
    });
  }

  static async open(): Promise<LifecycleDeployment> {
    const file = temporaryFile();
    return new LifecycleDeployment(file, await file.open());
  }

  async close(): Promise<void> {
    this.#raw.close();
    await this.#file.destroy();
  }

  inquiryWorker(batchSize: number): InquiryWorker {
    const { directory } = this.store;
    return createInquiryWorker({
      links: this.#links,
      directory,
      clock: this.#clock,
      logger: quiet,
      settings: { ...settings, batchSize },
    });
  }

  /** A secret goes into one mail alone, and a mail has one Message-ID however often it is tried. */
  noteHandOver(mail: HandedOver): void {
    this.handedOver.push(mail);
    if (mail.content.kind !== "link") {
      assert.ok(!("secret" in mail.content));
      return;
    }
    const { secret } = mail.content;
    assert.match(secret, /^[\w-]{43}$/);
    assert.equal(this.mailOfSecret.get(secret) ?? mail.messageId, mail.messageId, "a secret is in two mails");
    this.mailOfSecret.set(secret, mail.messageId);
  }

  async putOrganization(id: OrganizationId, enabled: boolean): Promise<void> {
    const plan = { status: "suspended" as const, expiresAt: null };
    const organization = {
      id,
      name: `Org ${id}`,
      accountNumber: `A-${id}`,
      kind: "partner" as const,
      plan,
      enabled,
    };
    await this.store.directory.putOrganization(organization, "admin:test", this.now);
  }

  async putProfile(profile: {
    id: ProfileId;
    organizationId: OrganizationId;
    email: string;
    enabled: boolean;
  }): Promise<void> {
    const emailKey = parseAddress(profile.email)?.key ?? assert.fail(profile.email);
    const edit = { ...profile, emailKey, name: profile.id, roles: ["buyer"] };
    await this.store.directory.putProfile(edit, "admin:test", this.now);
  }

  /** A mailed link in somebody's hands who has just signed in. */
  attempt(link: { id: string; secret: string }, identity: SignedInIdentity, accountId: AccountId) {
    return { requestId: asLinkRequestId(link.id), secretHash: hashSecret(link.secret), identity, accountId };
  }

  /** The newest rows of a table, by what isn't sealed in them. */
  marks(): { outbox: number; inquiries: number } {
    const last = (table: string) =>
      Number(this.#raw.prepare(`SELECT max(rowid) AS last FROM ${table}`).get()?.["last"] ?? 0);
    return { outbox: last("outbox"), inquiries: last("inquiries") };
  }

  /** Every mail since a mark with its state, and whether its content is still kept. */
  mailsSince(mark: number): { id: string; to: string; state: string }[] {
    const rows = this.#raw
      .prepare("SELECT id, recipient, state FROM outbox WHERE rowid > ? ORDER BY rowid")
      .all(mark);
    return rows.map(({ id, recipient, state }) => ({
      id: String(id),
      to: String(recipient),
      state: String(state),
    }));
  }

  /** Every inquiry since a mark: whether it is settled, and whether the typed address is still there. */
  inquiriesSince(mark: number): { id: string; settled: boolean; kept: boolean }[] {
    const rows = this.#raw
      .prepare("SELECT id, settled_at, sealed_address FROM inquiries WHERE rowid > ? ORDER BY rowid")
      .all(mark);
    return rows.map((row) => ({
      id: String(row["id"]),
      settled: row["settled_at"] !== null,
      kept: row["sealed_address"] !== null,
    }));
  }

  /** The audit events after the one given, oldest first. */
  async auditAfter(lastId: string | undefined, limit = 12): Promise<AuditEvent[]> {
    const newest = await this.store.audit.list({ limit });
    const known = newest.findIndex(({ id }) => id === lastId);
    if (known === -1 && newest.length === limit) return await this.auditAfter(lastId, limit * 4);
    return newest.slice(0, known === -1 ? newest.length : known).reverse();
  }

  /** The link store with its ear to the wall: ids and secrets are made inside and told to nobody. */
  #recording(links: LinkStore): LinkStore {
    return {
      ...links,
      settleInquiry: async (inquiryId, worker, outcome, now) => {
        const done = await links.settleInquiry(inquiryId, worker, outcome, now);
        const mails = [...outcome.links.map(({ mail }) => mail), ...outcome.mails];
        for (const { id, messageId } of mails) this.messageIdOf.set(messageId, id);
        if (done) this.settled.push({ inquiryId, mails });
        return done;
      },
      redeem: async (attempt, notice, now) => {
        this.notices.push(notice.id);
        this.messageIdOf.set(notice.messageId, notice.id);
        return await links.redeem(attempt, notice, now);
      },
    };
  }
}
