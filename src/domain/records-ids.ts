/** The ids of records, and the roles of administrators. Imported from records.ts. */

type Branded<Name extends string> = string & { readonly brand?: Name };
export type AccountId = Branded<"AccountId">;
export type OrganizationId = Branded<"OrganizationId">;
export type ProfileId = Branded<"ProfileId">;
export type ClientId = Branded<"ClientId">;
export type UpstreamId = Branded<"UpstreamId">;
export type LinkRequestId = Branded<"LinkRequestId">;
export type InquiryId = Branded<"InquiryId">;
export type GrantId = Branded<"GrantId">;
/** SHA-256 of a secret, base64url. The secret itself is never stored. */
export type SecretHash = Branded<"SecretHash">;

/** One upstream `(issuer, subject)` pair. Compared byte for byte; never an email address. */
export interface IdentityKey {
  issuer: string;
  subject: string;
}

export type AdminRole = "owner" | "client_manager" | "directory_manager" | "support" | "auditor";
