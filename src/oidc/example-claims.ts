/** All claims that a portal is given, of somebody made up: for whoever writes a portal. */

import { asAccountId, asOrganizationId, asProfileId } from "../domain/ids.ts";
import { NEW_ORGANIZATION } from "../domain/record-fields.ts";
import type { Membership } from "../domain/records.ts";
import { profileClaims } from "./profile-claims.ts";

const startedAt = Date.UTC(2027, 0, 15, 8, 30);
const exampleSubject = asAccountId("pQ3nT0yYcVJ1m5l2Wb8xSg");

const somebody: Membership = {
  profile: {
    id: asProfileId("p-1042"),
    organizationId: asOrganizationId("northwind"),
    email: "ann@northwind.example",
    emailKey: "ann@northwind.example",
    emailVersion: 3,
    provenEmailVersion: 3,
    name: "Ann Archer",
    roles: ["buyer", "approver"],
    enabled: true,
    adminRole: null,
    invitedAt: null,
    accountId: exampleSubject,
    boundAt: startedAt,
  },
  organization: {
    ...NEW_ORGANIZATION,
    id: asOrganizationId("northwind"),
    name: "Northwind Traders",
    accountNumber: "C-10042",
    kind: "customer",
    plan: { status: "active", expiresAt: Date.UTC(2028, 0, 1) },
    enabled: true,
  },
};

export interface ExampleClaims {
  id_token: Record<string, unknown>;
  userinfo: Record<string, unknown>;
}

/**
 * What the ID token and userinfo of a client hold when every scope was asked for, `max_age` and `nonce` were
 * sent, and every claim has a value.
 * @param hasSid whether its ID tokens name the session: those of clients that are sent logout tokens
 */
export function exampleClaims({
  issuer,
  clientId,
  claimsInIdToken,
  hasSid,
}: {
  issuer: string;
  clientId: string;
  claimsInIdToken: boolean;
  hasSid: boolean;
}): ExampleClaims {
  const seconds = startedAt / 1000;
  const claims = profileClaims(somebody, startedAt);
  const ofPerson = claimsInIdToken ? claims : {};
  return {
    id_token: {
      iss: issuer,
      sub: exampleSubject,
      aud: clientId,
      exp: seconds + 300,
      iat: seconds,
      auth_time: seconds - 20,
      nonce: "what-the-portal-sent",
      ...(hasSid ? { sid: "Zk1vO7hF0b2nQd9sT4xYw" } : {}),
      ...ofPerson,
    },
    userinfo: { sub: exampleSubject, ...claims },
  };
}
