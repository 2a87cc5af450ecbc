/**
 * The ids of records, which the compiler tells apart, and the roles of administrators. Whoever reads or makes
 * an id says here what it is the id of: no other place casts to one. Also which ids a record may be given;
 * how they are spelled is their doors' to say.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

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

export const asAccountId = (text: string) => text as AccountId;
export const asOrganizationId = (text: string) => text as OrganizationId;
export const asProfileId = (text: string) => text as ProfileId;
export const asClientId = (text: string) => text as ClientId;
export const asUpstreamId = (text: string) => text as UpstreamId;
export const asLinkRequestId = (text: string) => text as LinkRequestId;
export const asInquiryId = (text: string) => text as InquiryId;
export const asGrantId = (text: string) => text as GrantId;
export const asSecretHash = (text: string) => text as SecretHash;

/** Reads an id where one is given. @param read one of the readers above */
export function idOrNone<Id>(read: (text: string) => Id, text: string | undefined): Id | undefined {
  return text === undefined ? undefined : read(text);
}

/** The same where none is null. */
export function idOrNull<Id>(read: (text: string) => Id, text: string | null): Id | null {
  return text === null ? null : read(text);
}

/** One upstream `(issuer, subject)` pair. Compared byte for byte; never an email address. */
export interface IdentityKey {
  issuer: string;
  subject: string;
}

export type AdminRole = "owner" | "client_manager" | "directory_manager" | "support" | "auditor";

/**
 * `constructor`, `__proto__`, `toString` and the others: a record of ids that is a plain object seems to hold
 * them all.
 */
const inherited: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** What is said of a reserved id: why, and what to do. Follows the name of the field. */
export const RESERVED_ID_PROBLEM =
  "this id is the name of something that every JavaScript object has, as constructor is; choose another one";

/** Whether an id is a name of `Object.prototype`. Exact: ids are compared to the letter everywhere. */
export function isReservedId(id: string): boolean {
  return inherited.has(id);
}
