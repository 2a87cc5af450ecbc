/**
 * The store, put together: what intentions do on any back end (intentions/), and what each back end does by
 * statements of its own.
 */

import type { AdminStore, Store } from "./contract.ts";
import { keyHashOf } from "./encrypted-fields.ts";
import type { FieldEncryption } from "./field-encryption.ts";
import { createAccountStore } from "./intentions/accounts.ts";
import { createAuditStore } from "./intentions/audit.ts";
import { createChanges } from "./intentions/changes.ts";
import { createClientStore } from "./intentions/clients.ts";
import type { DeferredMailParts } from "./intentions/deferred-mail.ts";
import { createDirectoryStore } from "./intentions/directory.ts";
import { createInquiryMethods } from "./intentions/inquiries.ts";
import { createLinkMethods } from "./intentions/links.ts";
import { createListings } from "./intentions/listings.ts";
import { createQueueMail } from "./intentions/mail.ts";
import { createOutboxStore } from "./intentions/outbox.ts";
import { createInvitations } from "./intentions/roles.ts";
import { createSetBack } from "./intentions/set-back.ts";
import { createVerificationStore } from "./intentions/verifications.ts";
import { createWork } from "./intentions/work.ts";
import type { Engine } from "./steps.ts";

/** What a back end does by itself. */
export interface Native
  extends Omit<
    Store,
    "accounts" | "directory" | "links" | "outbox" | "clients" | "audit" | "verifications" | "administration"
  > {
  administration: Pick<AdminStore, "sessions" | "session" | "takeLease" | "addCounts" | "counts">;
}

export interface StoreParts {
  engine: Engine;
  encryption: FieldEncryption;
  /** How deferred mail is dealt with: see DeferredMailParts. */
  deferredMail: DeferredMailParts["pace"];
  native: Native;
}

/** Puts a store together. */
export function assembleStore({ engine, encryption, deferredMail, native }: StoreParts): Store {
  const hash = keyHashOf(encryption);
  const queueMail = createQueueMail(encryption, hash);
  const { administration, ...rest } = native;
  return {
    ...rest,
    accounts: createAccountStore(engine),
    directory: createDirectoryStore(engine, queueMail),
    links: {
      ...createInquiryMethods(engine, { encryption, queueMail, hash }),
      ...createLinkMethods(engine, queueMail),
    },
    outbox: createOutboxStore(engine, { encryption, queueMail, hash, pace: deferredMail }),
    clients: createClientStore(engine, encryption),
    audit: createAuditStore(engine),
    verifications: createVerificationStore(engine),
    administration: {
      ...administration,
      ...createListings(engine),
      ...createChanges(engine, { encryption, queueMail }),
      ...createInvitations(engine),
      ...createWork(engine),
      ...createSetBack(engine),
    },
  };
}
