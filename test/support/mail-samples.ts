/**
 * Every kind of mail filled with data, for the tests that look at all of them. A kind without a sample
 * doesn't compile.
 */

import { asInquiryId, asLinkRequestId, asUpstreamId } from "../../src/domain/ids.ts";
import type { MailContent, MailedRequester } from "../../src/domain/records.ts";
import { flavours } from "./page-flavours.ts";

export const mailSite = flavours.ordinary.site;
export const MAIL_SECRET = "s3cr3t_s3cr3t-s3cr3t";
const sentAt = Date.UTC(2026, 10, 23, 15, 0);
export const mailFacts = {
  issuer: "https://signin.contoso.example/auth",
  linkExpiresAt: sentAt + 1_800_000,
  now: sentAt,
};
export const mailRequester: MailedRequester = {
  upstreamId: asUpstreamId("upstream-1"),
  email: "ana.lopez@northwind.example",
  displayName: "Ana López",
};
const names = { profileName: "Ana López", organizationName: "Fabrikam A/S", requester: mailRequester };
const asked = { inquiryId: asInquiryId("inquiry-1"), ...names };
export const mailContents = {
  link: { kind: "link", requestId: asLinkRequestId("req-1"), secret: MAIL_SECRET, ...asked },
  already_linked: { kind: "already_linked", ...asked },
  linked_elsewhere: { kind: "linked_elsewhere", ...asked },
  not_active: { kind: "not_active", ...asked },
  collected: {
    kind: "collected",
    answers: [
      { kind: "link", requestId: asLinkRequestId("req-1"), secret: MAIL_SECRET, ...asked },
      {
        kind: "link",
        requestId: asLinkRequestId("req-2"),
        secret: "another",
        ...names,
        inquiryId: asInquiryId("inquiry-2"),
      },
      { kind: "already_linked", ...names, inquiryId: asInquiryId("inquiry-3") },
      { kind: "linked_elsewhere", ...names, inquiryId: asInquiryId("inquiry-4") },
      { kind: "not_active", ...names, inquiryId: asInquiryId("inquiry-5") },
    ],
  },
  linked_notice: { kind: "linked_notice", linkedAt: sentAt, ...names },
  support_request: {
    kind: "support_request",
    reference: "KRTW-LMNP",
    portalName: "CustomerSource",
    name: "Ana López",
    organization: "Fabrikam",
    accountNumber: "",
    message: "I moved.\nPlease help.",
    requester: mailRequester,
  },
  admin_invitation: {
    kind: "admin_invitation",
    profileName: "Ana López",
    organizationName: "Fabrikam A/S",
    lapsesAt: sentAt + 7 * 86_400_000,
  },
  administrator_linked: {
    kind: "administrator_linked",
    ownerName: "Olga Owner",
    role: "directory_manager",
    linkedAt: sentAt,
    ...names,
  },
  address_added: { kind: "address_added", profileName: "Ana López", organizationName: "Fabrikam A/S" },
  address_removed: { kind: "address_removed", profileName: "Ana López", organizationName: "Fabrikam A/S" },
} as const satisfies { [Kind in MailContent["kind"]]: Extract<MailContent, { kind: Kind }> };
