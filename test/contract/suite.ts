/** The one suite of the store contract. Each back end runs all of it; nothing here knows which one it is. */

import { accessCases } from "./access.ts";
import { accountCases } from "./accounts.ts";
import { accountAtClientCases } from "./accounts-at-clients.ts";
import { administrationCases } from "./administration.ts";
import { administratorCases } from "./administrators.ts";
import { artifactCases } from "./artifacts.ts";
import { auditChainCases } from "./audit-chain.ts";
import { type BackEnd, casesFor } from "./back-end.ts";
import { clientCases } from "./clients.ts";
import { collectedMailCases } from "./collected-mail.ts";
import { deliveryCases } from "./deliveries.ts";
import { directoryCases } from "./directory.ts";
import { endingCases } from "./endings.ts";
import { importCases } from "./imports.ts";
import { inquiryCases } from "./inquiries.ts";
import { invitationCases } from "./invitations.ts";
import { listingCases } from "./listings.ts";
import { usedListingCases } from "./listings-of-use.ts";
import { onceCases } from "./once.ts";
import { outboxCases } from "./outbox.ts";
import { redeemCases } from "./redeem.ts";
import { sessionCases } from "./sessions.ts";
import { setBackCases } from "./set-back.ts";
import { signInCases } from "./sign-ins.ts";
import { singleRecordCases } from "./single-records.ts";
import { switchedProfileCases } from "./switched-profiles.ts";
import { switchCases } from "./switches.ts";
import { throttledMailCases } from "./throttled-mail.ts";
import { turnCases } from "./turns.ts";
import { verificationCases } from "./verifications.ts";
import { workCases } from "./work.ts";

/** Declares every case of the contract for one back end. */
export function storageContract(backEnd: BackEnd): void {
  const declare = casesFor(backEnd);
  accountCases(declare);
  directoryCases(declare);
  importCases(declare);
  inquiryCases(declare);
  redeemCases(declare);
  outboxCases(declare);
  throttledMailCases(declare);
  collectedMailCases(declare);
  deliveryCases(declare);
  signInCases(declare);
  accountAtClientCases(declare);
  switchedProfileCases(declare);
  switchCases(declare);
  artifactCases(declare);
  sessionCases(declare);
  singleRecordCases(declare);
  administrationCases(declare);
  administratorCases(declare);
  invitationCases(declare);
  onceCases(declare);
  clientCases(declare);
  accessCases(declare);
  endingCases(declare);
  listingCases(declare);
  usedListingCases(declare);
  auditChainCases(declare);
  verificationCases(declare);
  workCases(declare);
  turnCases(declare);
  setBackCases(declare);
}
