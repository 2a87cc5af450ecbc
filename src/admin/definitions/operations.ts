/**
 * Every operation of the administration, by area. A face takes the one that it means:
 * `operations.organizations.create`.
 */

import { accounts } from "./accounts.ts";
import { administrators } from "./administrators.ts";
import { audit } from "./audit.ts";
import { clients } from "./clients.ts";
import type { Definition } from "./definition.ts";
import { inquiries } from "./inquiries.ts";
import { apiKeys, signingKeys } from "./keys.ts";
import { mail } from "./mail.ts";
import { organizations } from "./organizations.ts";
import { attention, figures, upstreams } from "./overview.ts";
import { profiles } from "./profiles.ts";
import { grants, sessions } from "./sessions.ts";
import { verifications } from "./verifications.ts";
import { simulation } from "./why.ts";

export const operations = {
  clients,
  organizations,
  profiles,
  administrators,
  accounts,
  inquiries,
  mail,
  grants,
  sessions,
  apiKeys,
  signingKeys,
  simulation,
  figures,
  attention,
  upstreams,
  audit,
  verifications,
};

/** All of them, in the order of the API's document. */
export const definitions: readonly Definition[] = Object.values(operations).flatMap((area): Definition[] =>
  Object.values(area),
);

/** The operation that reads what stands at the same address. @throws TypeError where none does */
export function readingOf({ path }: Pick<Definition, "path">): Definition {
  const found = definitions.find((one) => one.method === "GET" && one.path === path);
  if (found === undefined) throw new TypeError(`nothing reads ${path}`);
  return found;
}
