/**
 * The store, put together: what intentions do on any back end (intentions/), and what each back end does by
 * statements of its own.
 */

import type { PaceOptions } from "../pace.ts";
import type { AccountAtClientStore, Store } from "./contract.ts";
import { keyHashOf } from "./encrypted-fields.ts";
import type { FieldEncryption } from "./field-encryption.ts";
import { createAccountStore } from "./intentions/accounts.ts";
import { createArtifactStore } from "./intentions/artifacts.ts";
import { createAuditStore } from "./intentions/audit.ts";
import { createChanges } from "./intentions/changes.ts";
import { createClientStore } from "./intentions/clients.ts";
import { createCounts } from "./intentions/counts.ts";
import type { DeferredMailParts } from "./intentions/deferred-mail.ts";
import { createDirectoryStore } from "./intentions/directory.ts";
import { createInquiryMethods } from "./intentions/inquiries.ts";
import { createKeyStore } from "./intentions/keys.ts";
import { createLinkMethods } from "./intentions/links.ts";
import { createListings } from "./intentions/listings.ts";
import { createQueueMail } from "./intentions/mail.ts";
import { createOutboxStore } from "./intentions/outbox.ts";
import { createInvitations } from "./intentions/roles.ts";
import { createSelecting } from "./intentions/selecting.ts";
import { createSessionLists } from "./intentions/session-lists.ts";
import { createSetBack } from "./intentions/set-back.ts";
import { createSignInStore } from "./intentions/sign-ins.ts";
import { createSweep } from "./intentions/sweep.ts";
import { createThrottleStore } from "./intentions/throttles.ts";
import { createVerificationStore } from "./intentions/verifications.ts";
import { createWork } from "./intentions/work.ts";
import type { Engine } from "./steps.ts";

/** What a back end does by itself. */
export interface Native
  extends Pick<Store, "turnMs" | "grantsATurn" | "schemaVersion" | "writeFault" | "close"> {
  accountsAtClients: Omit<AccountAtClientStore, "select">;
}

export interface StoreParts {
  engine: Engine;
  /** Of what is short-lived, and may be lost in a power cut. */
  shortLived: Engine;
  encryption: FieldEncryption;
  /** How deferred mail is dealt with: see DeferredMailParts. */
  deferredMail: DeferredMailParts["pace"];
  /** How much of what has expired is removed at a time. */
  sweeping: PaceOptions;
  native: Native;
}

/** Puts a store together. */
export function assembleStore({
  engine,
  shortLived,
  encryption,
  deferredMail,
  sweeping,
  native,
}: StoreParts): Store {
  const hash = keyHashOf(encryption);
  const queueMail = createQueueMail(encryption, hash);
  return {
    ...native,
    accountsAtClients: { ...native.accountsAtClients, ...createSelecting(engine) },
    accounts: createAccountStore(engine),
    directory: createDirectoryStore(engine, queueMail),
    links: {
      ...createInquiryMethods(engine, { encryption, queueMail, hash }),
      ...createLinkMethods(engine, queueMail),
    },
    outbox: createOutboxStore(engine, { encryption, queueMail, hash, pace: deferredMail }),
    artifacts: createArtifactStore({ engine, shortLived, encryption }),
    signIns: createSignInStore(shortLived, encryption),
    keys: createKeyStore(engine, encryption),
    throttles: createThrottleStore(shortLived, hash),
    sweep: createSweep({ engine, shortLived, pace: sweeping }),
    clients: createClientStore(engine, encryption),
    audit: createAuditStore(engine),
    verifications: createVerificationStore(engine),
    administration: {
      ...createListings(engine),
      ...createSessionLists(engine),
      ...createChanges(engine, { encryption, queueMail }),
      ...createInvitations(engine),
      ...createWork(engine),
      ...createCounts(engine, hash),
      ...createSetBack(engine),
    },
  };
}
