/** What carries out every operation of the administration. */

import type { operations } from "./definitions/operations.ts";
import type { HandlersOf } from "./operation.ts";
import { apiKeyHandlers, grantHandlers, sessionHandlers, signingKeyHandlers } from "./operations/access.ts";
import { administratorHandlers } from "./operations/administrators.ts";
import { auditHandlers } from "./operations/audit.ts";
import { clientHandlers } from "./operations/clients.ts";
import { organizationHandlers } from "./operations/organizations.ts";
import { attentionHandlers, metricHandlers, upstreamHandlers } from "./operations/overview.ts";
import { accountHandlers, inquiryHandlers, mailHandlers } from "./operations/people.ts";
import { profileHandlers } from "./operations/profiles.ts";
import { simulationHandlers } from "./operations/simulation.ts";
import { verificationHandlers } from "./operations/verifications.ts";
import type { OperationParts } from "./parts.ts";

type Operations = typeof operations;
export type Handlers = { [Area in keyof Operations]: HandlersOf<Operations[Area]> };

export function createHandlers(parts: OperationParts): Handlers {
  return {
    clients: clientHandlers(parts),
    organizations: organizationHandlers(parts),
    profiles: profileHandlers(parts),
    administrators: administratorHandlers(parts),
    accounts: accountHandlers(parts),
    inquiries: inquiryHandlers(parts),
    mail: mailHandlers(parts),
    grants: grantHandlers(parts),
    sessions: sessionHandlers(parts),
    apiKeys: apiKeyHandlers(parts),
    signingKeys: signingKeyHandlers(parts),
    simulation: simulationHandlers(parts),
    figures: metricHandlers(parts),
    attention: attentionHandlers(parts),
    upstreams: upstreamHandlers(parts),
    audit: auditHandlers(parts),
    verifications: verificationHandlers(parts),
  };
}
