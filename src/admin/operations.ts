/** What carries out every operation of the administration. */

import type { operations } from "./definitions/operations.ts";
import type { OperationDependencies } from "./dependencies.ts";
import type { HandlersOf } from "./operation.ts";
import { apiKeyHandlers, grantHandlers, sessionHandlers, signingKeyHandlers } from "./operations/access.ts";
import { administratorHandlers } from "./operations/administrators.ts";
import { auditHandlers } from "./operations/audit.ts";
import { clientHandlers } from "./operations/clients.ts";
import { organizationHandlers } from "./operations/organizations.ts";
import { attentionHandlers, metricHandlers, upstreamHandlers } from "./operations/overview.ts";
import { accountHandlers, inquiryHandlers, mailHandlers } from "./operations/people.ts";
import { profileHandlers } from "./operations/profiles.ts";
import { verificationHandlers } from "./operations/verifications.ts";
import { simulationHandlers } from "./operations/why.ts";

type Operations = typeof operations;
export type Handlers = { [Area in keyof Operations]: HandlersOf<Operations[Area]> };

export function createHandlers(dependencies: OperationDependencies): Handlers {
  return {
    clients: clientHandlers(dependencies),
    organizations: organizationHandlers(dependencies),
    profiles: profileHandlers(dependencies),
    administrators: administratorHandlers(dependencies),
    accounts: accountHandlers(dependencies),
    inquiries: inquiryHandlers(dependencies),
    mail: mailHandlers(dependencies),
    grants: grantHandlers(dependencies),
    sessions: sessionHandlers(dependencies),
    apiKeys: apiKeyHandlers(dependencies),
    signingKeys: signingKeyHandlers(dependencies),
    simulation: simulationHandlers(dependencies),
    figures: metricHandlers(dependencies),
    attention: attentionHandlers(dependencies),
    upstreams: upstreamHandlers(dependencies),
    audit: auditHandlers(dependencies),
    verifications: verificationHandlers(dependencies),
  };
}
