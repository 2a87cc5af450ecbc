/** Every operation of the administration. */

import type { AnyOperation } from "./operation.ts";
import { accessOperations } from "./operations/access.ts";
import { administratorOperations } from "./operations/administrators.ts";
import { clientOperations } from "./operations/clients.ts";
import { lookingOperations } from "./operations/looking.ts";
import { organizationOperations } from "./operations/organizations.ts";
import { peopleOperations } from "./operations/people.ts";
import { profileOperations } from "./operations/profiles.ts";
import { simulationOperations } from "./operations/simulation.ts";
import { verificationOperations } from "./operations/verifications.ts";
import type { OperationParts } from "./parts.ts";

export function createOperations(parts: OperationParts): AnyOperation[] {
  return [
    ...clientOperations(parts),
    ...organizationOperations(parts),
    ...profileOperations(parts),
    ...administratorOperations(parts),
    ...peopleOperations(parts),
    ...accessOperations(parts),
    ...simulationOperations(parts),
    ...lookingOperations(parts),
    ...verificationOperations(parts),
  ];
}
