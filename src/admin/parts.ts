/** What operations rest on, wherever they run: in the service, or in a command beside it. */

import type { Config } from "../config/schema.ts";
import type { ClientDirectory } from "../oidc/clients.ts";
import type { Store } from "../storage/contract.ts";
import type { Client } from "../storage/records.ts";

export interface OperationParts {
  store: Store;
  clients: ClientDirectory;
  config: Pick<Config, "issuer" | "upstreams" | "deployment">;
  /** The domain of our Message-IDs: that of the sender's address. */
  mailDomain: string;
  /** How long a rotated secret is still taken, in milliseconds. */
  secretOverlapMs: number;
  /** What oidc-provider finds wrong with a client, or undefined. */
  clientProblem(client: Client): Promise<string | undefined>;
  /** Public keys that tokens are signed with. */
  signingKeys: readonly { kid: string; alg: string }[];
  /** Under which the audit's chain is sealed. */
  auditKey: Buffer;
}
