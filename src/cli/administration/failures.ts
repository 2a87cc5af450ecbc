/** What goes wrong with an operation, in the words of a command line: flags for fields, and what to do. */

import type { Definition } from "../../admin/definitions/definition.ts";
import { EditConflict, InputError } from "../../admin/operation.ts";
import { LiaisonError } from "../../errors.ts";
import { usageError } from "../command.ts";
import { operandName } from "./draft.ts";
import { flagName, PARTS } from "./fields.ts";

/** The error as the command tells it; what isn't known stays as it is. */
export function explained(error: unknown, definition: Definition): unknown {
  if (error instanceof InputError) {
    const lines = error.faults.map(({ field, problem }) => `${placeOf(field, definition)}${problem}.`);
    return usageError(`${lines.join("\n")}\nSee: liaison ${definition.command?.name} --help`);
  }
  if (error instanceof EditConflict) {
    const lines = error.differences.map(({ field, yours, current }) => {
      return `\n  ${field}: yours ${JSON.stringify(yours)}, now ${JSON.stringify(current)}`;
    });
    const { revision } = error.current;
    const next = revision === undefined ? "" : `\nIts revision now: --if-match ${revision}`;
    return LiaisonError.of(error.code, `${error.message}${lines.join("")}${next}`, error);
  }
  return error;
}

/** The flag of a field such as `access_policy.kinds` or `redirect_uris.0`. */
function placeOf(field: string, definition: Definition): string {
  const [name = "", part = ""] = field.split(".");
  if (name === "") return "";
  if (name === definition.command?.operand) return `${operandName(name)}: `;
  const parts = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  const ofPart = Object.entries(parts ?? {}).find(([, one]) => one.part === part);
  return `--${ofPart?.[0] ?? flagName(name)}: `;
}
