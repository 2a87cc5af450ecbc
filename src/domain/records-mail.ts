/**
 * What Liaison stores of mails: why one is sent, what it says, what became of it. Imported from records.ts.
 */

import type { Instant } from "../clock.ts";
import type { AdminRole, IdentityKey, InquiryId, LinkRequestId, UpstreamId } from "./ids.ts";
import type { Limit } from "./limit.ts";
import type { MailboxLimits } from "./mailbox.ts";

/** Why a mail is sent, and what it says. Rendered when it is delivered, in the deployment's words. */
export type MailContent =
  | InquiryAnswer
  | CollectedContent
  | (LinkedContent & { kind: "linked_notice"; linkedAt: Instant })
  | SupportRequestContent
  | AdministrationContent;

/** What an inquiry is answered for one profile. */
export type InquiryAnswer =
  | (InquiryAnswerContent & {
      kind: "link";
      requestId: LinkRequestId;
      /** The secret of the link. Sealed at rest with the rest of the content, removed once sent. */
      secret: string;
    })
  | (InquiryAnswerContent & { kind: "already_linked" })
  | (InquiryAnswerContent & { kind: "linked_elsewhere" })
  | (InquiryAnswerContent & { kind: "not_active" });

/** What waited for a mailbox that was over a limit, in one mail: see domain/mailbox.ts. */
export interface CollectedContent {
  kind: "collected";
  /** Those who go first, first. */
  answers: readonly InquiryAnswer[];
}

/**
 * What an administrator's doing causes. admin_invitation: somebody became an administrator, and where to sign
 * in; it holds no secret · address_added, address_removed: the registered email was changed, told to the new
 * and to the old one · administrator_linked: somebody linked an administrator's profile, told to each owner.
 */
export type AdministrationContent =
  | (Named<"admin_invitation"> & {
      /** When it lapses; null if it doesn't. A mail queued before invitations lapsed has none. */
      lapsesAt?: Instant | null;
    })
  | Named<"address_added">
  | Named<"address_removed">
  | AdministratorLinkedContent;

interface Named<Kind extends string> {
  kind: Kind;
  profileName: string;
  organizationName: string;
}

/** The profile named is the administrator's. */
export interface AdministratorLinkedContent extends LinkedContent {
  kind: "administrator_linked";
  /** The owner who is told. */
  ownerName: string;
  role: AdminRole;
  linkedAt: Instant;
}

/** A message to the deployment's support. What people typed, unchecked. */
export interface SupportRequestContent {
  kind: "support_request";
  reference: string;
  portalName: string;
  name: string;
  organization: string;
  accountNumber: string;
  message: string;
  requester: MailedRequester;
}

/** What every mail about a profile names. */
interface LinkedContent {
  profileName: string;
  organizationName: string;
  requester: MailedRequester;
}

interface InquiryAnswerContent extends LinkedContent {
  /**
   * The inquiry that the mail answers, for its matching code. A mail queued before there were codes has none.
   */
  inquiryId?: InquiryId;
}

/** How a mail names the account that asked. */
export interface MailedRequester {
  upstreamId: UpstreamId;
  email: string | null;
  displayName: string | null;
}

/**
 * held: waits for its turn at a mailbox or a profile · carried: a collected mail says what it was to say ·
 * queued: due at its `nextAttemptAt` · sent: a server took it · bounced: and it came back for good · failed:
 * given up · dropped: its link was dead before it was sent.
 */
export type OutboxState = "held" | "carried" | "queued" | "sent" | "bounced" | "failed" | "dropped";

/** What became of a mail, without what it says. */
export interface Delivery extends Omit<OutboxMessage, "content"> {
  /** Null for one that was queued before that was kept. */
  kind: MailContent["kind"] | null;
  inquiryId: InquiryId | null;
  requestId: LinkRequestId | null;
  /** The mail that carries it: what became of that became of it. */
  carriedBy: string | null;
  /** What the server that took it said. */
  serverReply: string | null;
  bouncedAt: Instant | null;
  /** What a bounce, or a warning of one, said last. */
  bounce: string | null;
}

export interface OutboxMessage {
  id: string;
  /** RFC 5322 Message-ID without angle brackets; the same on every attempt. */
  messageId: string;
  /** One recipient: the stored address, never a typed one. */
  to: string;
  content: MailContent;
  state: OutboxState;
  attempts: number;
  createdAt: Instant;
  nextAttemptAt: Instant;
  sentAt: Instant | null;
  lastError: string | null;
}

export interface NewMail {
  id: string;
  messageId: string;
  to: string;
  content: MailContent;
  throttle?: MailThrottle;
}

/** A mail that a stranger can cause: how many of its kind one mailbox and one profile get. */
export interface MailThrottle {
  mailbox: MailboxLimits & { key: string };
  profile: Limit & { key: string };
}

/** Who asks for a mailbox. */
export interface Asker {
  identity: IdentityKey;
  /** The mailbox, as in MailThrottle. */
  mailbox: string;
  /** Whether an upstream that is trusted for it says that the mailbox is the identity's. */
  isTrusted: boolean;
}
