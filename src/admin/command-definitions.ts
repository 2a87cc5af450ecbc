/**
 * The definitions of all operations, known without a store, a configuration or anything else that they rest on: for the flags
 * and the help of commands, and for calls to a broker elsewhere.
 */

import type { Definition } from "./operation.ts";
import { createOperations } from "./operations.ts";
import type { OperationParts } from "./parts.ts";

/** Definitions alone: without handlers, which would find nothing to work on. */
export const definitions: readonly Definition[] = createOperations(noParts());

/** @throws TypeError for a name that is none */
export function definitionOf(name: string): Definition {
  const found = definitions.find((one) => one.name === name);
  if (found === undefined) throw new TypeError(`there is no operation ${name}`);
  return found;
}

/** Parts that can be named and handed on, as they are while operations are made, and that do nothing. */
function noParts(): OperationParts {
  const part: object = new Proxy(() => undefined, {
    get: () => part,
    apply: () => {
      throw new TypeError("a definition was carried out");
    },
  });
  return part as OperationParts;
}
