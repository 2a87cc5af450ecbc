/**
 * Turns stored inquiries into link requests and mails, behind the answer that the person already got. It runs
 * on every process; leases keep two of them from answering one inquiry twice. When it runs is
 * ../worker-loop.ts's, delivering the mails is mail's, and what an inquiry is answered is decided by
 * ../domain/link.ts.
 */

import { setTimeout as pause } from "node:timers/promises";
import type { Clock, Instant, Milliseconds } from "../clock.ts";
import { parseAddress } from "../domain/address.ts";
import { asLinkRequestId, type InquiryId } from "../domain/ids.ts";
import type { Limit } from "../domain/limit.ts";
import { answerInquiry } from "../domain/link.ts";
import type { MailboxLimits } from "../domain/mailbox.ts";
import type {
  Asker,
  Inquiry,
  MailContent,
  MailedRequester,
  Membership,
  NewMail,
  UpstreamId,
} from "../domain/records.ts";
import { hashSecret, randomId, randomSecret } from "../domain/secrets.ts";
import type {
  ClaimedInquiry,
  DirectoryStore,
  InquiryAnswerPart,
  LinkStore,
  NewLink,
} from "../storage/contract.ts";
import { runAlone, type WorkerRun } from "../worker-loop.ts";
import { newMessageId } from "./message-id.ts";

interface InquiryWorkerSettings {
  /** The domain of our Message-IDs: that of the sender's address. */
  mailDomain: string;
  /** How many mails that inquiries cause go at once to one mailbox, and about one profile. */
  mailLimits: { mailbox: MailboxLimits; profile: Limit };
  /** Upstreams that are trusted to know which address is whose. Default: none. */
  trustedUpstreams?: ReadonlySet<UpstreamId>;
  /** How long a claimed inquiry is this worker's, in milliseconds. */
  leaseMs?: Milliseconds;
  /** How many parts one run answers at most, so that other work gets its turn. */
  batchSize?: number;
  /** How many profiles are answered in one transaction. */
  partSize?: number;
}

export interface InquiryWorkerDependencies {
  links: LinkStore;
  directory: DirectoryStore;
  clock: Clock;
  logger: InquiryWorkerLogger;
  settings: InquiryWorkerSettings;
}

/**
 * The part of pino's logger that the worker uses. It never says what matched: a log isn't to be an oracle
 * either.
 */
interface InquiryWorkerLogger {
  warn(fields: object, message: string): void;
}

export interface InquiryWorker {
  /**
   * Settles the inquiries that are due, oldest first, until the run is told to end; returns how many. One of
   * very many profiles takes turns with the others. Throws when the store can't be reached; an inquiry
   * claimed by then is taken up again, here or elsewhere, when its lease is over.
   */
  runOnce(run?: WorkerRun): Promise<number>;
}

const DEFAULT_LEASE_MS: Milliseconds = 30_000;
const DEFAULT_BATCH_SIZE = 100;
/**
 * A few milliseconds on SQLite (`node bench/many-matches.ts`); on MongoDB a transaction far from its
 * deadline.
 */
const DEFAULT_PART_SIZE = 20;

/**
 * How long a request may wait for its mail to be sent. Its real life starts then (see `OutboxStore.claim`);
 * this only keeps requests whose mail is never delivered from waiting forever.
 */
const UNSENT_REQUEST_MS: Milliseconds = 7 * 24 * 60 * 60 * 1000;

/** Makes a worker under a name of its own. */
export function createInquiryWorker({
  links,
  directory,
  clock,
  logger,
  settings,
}: InquiryWorkerDependencies): InquiryWorker {
  const worker = randomId();
  const leaseMs = settings.leaseMs ?? DEFAULT_LEASE_MS;
  const batchSize = settings.batchSize ?? DEFAULT_BATCH_SIZE;
  const partSize = settings.partSize ?? DEFAULT_PART_SIZE;

  /**
   * Answers for the next profiles of an inquiry. Where there are more it is given back: it goes on behind all
   * that are due.
   */
  async function settlePart(inquiry: ClaimedInquiry): Promise<"settled" | "goes on" | "lost"> {
    const key = parseAddress(inquiry.address)?.key;
    // One more than are answered says whether there are more.
    const page = { after: inquiry.answeredTo, limit: partSize + 1 };
    const found = key === undefined ? [] : await directory.membershipsByEmail(key, page);
    const memberships = found.slice(0, partSize);
    const answeredTo = found.length > partSize ? (memberships.at(-1)?.profile.id ?? null) : null;
    const now = clock.now();
    const part = answer(inquiry, memberships, settings, now);
    const more = answeredTo === null ? {} : { more: { answeredTo, leaseMs: 0 } };
    if (!(await links.settleInquiry(inquiry.id, worker, { ...part, ...more }, now))) return "lost";
    return answeredTo === null ? "settled" : "goes on";
  }

  return {
    async runOnce({ signal, onStep } = runAlone) {
      let count = 0;
      for (let turn = 0; turn < batchSize && !signal.aborted; turn += 1) {
        const begun = performance.eventLoopUtilization();
        const inquiry = await links.claimInquiry(worker, clock.now(), leaseMs);
        if (inquiry === undefined) break;
        const came = await settlePart(inquiry);
        if (came === "settled") count += 1;
        if (came === "lost") {
          logger.warn(
            { inquiryId: inquiry.id },
            "the lease of an inquiry was lost; another worker answers it",
          );
        }
        // An await on SQLite lets nobody in: whoever waits meanwhile has as long as this kept the loop. On
        // MongoDB it is free.
        await pause(performance.eventLoopUtilization(begun).active);
        onStep();
      }
      return count;
    },
  };
}

/**
 * One link and its mail for each profile that can be linked, a mail without link for the others, nothing for
 * no match.
 */
function answer(
  inquiry: Inquiry,
  memberships: Membership[],
  settings: InquiryWorkerSettings,
  now: Instant,
): InquiryAnswerPart {
  const links: NewLink[] = [];
  const mails: NewMail[] = [];
  for (const membership of memberships) {
    const kind = answerInquiry(membership, inquiry.requester.accountId);
    if (kind === "link") {
      links.push(newLink(inquiry, membership, settings, now));
    } else {
      const content = { kind, ...whatMailsName(inquiry, membership) };
      mails.push(newMail(membership, settings, content));
    }
  }
  const [first] = memberships;
  const asker = first && askerOf(inquiry, first.profile.emailKey, settings);
  return { links, mails, asker, matched: memberships.length };
}

function newLink(
  inquiry: Inquiry,
  membership: Membership,
  settings: InquiryWorkerSettings,
  now: Instant,
): NewLink {
  const requestId = asLinkRequestId(randomId());
  const secret = randomSecret();
  const { emailVerified: _onlyForItsPlace, ...requester } = inquiry.requester;
  return {
    request: {
      id: requestId,
      inquiryId: inquiry.id,
      secretHash: hashSecret(secret),
      purpose: "link_profile",
      requester,
      profileId: membership.profile.id,
      emailVersion: membership.profile.emailVersion,
      createdAt: now,
      expiresAt: now + UNSENT_REQUEST_MS,
    },
    mail: newMail(membership, settings, {
      kind: "link",
      requestId,
      secret,
      ...whatMailsName(inquiry, membership),
    }),
  };
}

/** Every mail goes to the address that the organization registered, never to what was typed. */
function newMail(
  { profile }: Membership,
  { mailDomain, mailLimits: { mailbox, profile: perProfile } }: InquiryWorkerSettings,
  content: MailContent,
): NewMail {
  const throttle = {
    mailbox: { ...mailbox, key: profile.emailKey },
    profile: { ...perProfile, key: profile.id },
  };
  return { id: randomId(), messageId: newMessageId(mailDomain), to: profile.email, content, throttle };
}

/** What an upstream says of an address counts only where the deployment trusts it to know. */
function askerOf(
  { requester }: Inquiry,
  mailbox: string,
  { trustedUpstreams }: Pick<InquiryWorkerSettings, "trustedUpstreams">,
): Asker {
  const { issuer, subject, upstreamId, email, emailVerified } = requester;
  const isTrusted =
    trustedUpstreams?.has(upstreamId) === true &&
    emailVerified === true &&
    parseAddress(email)?.key === mailbox;
  return { identity: { issuer, subject }, mailbox, isTrusted };
}

function whatMailsName(
  { id, requester }: Inquiry,
  { profile, organization }: Membership,
): { inquiryId: InquiryId; profileName: string; organizationName: string; requester: MailedRequester } {
  const { upstreamId, email, displayName } = requester;
  return {
    inquiryId: id,
    profileName: profile.name,
    organizationName: organization.name,
    requester: { upstreamId, email, displayName },
  };
}
