/** What a form asks for, and the form once more where that is wrong or overtaken. */

import { isDeepStrictEqual } from "node:util";
import { LiaisonError } from "../../errors.ts";
import type { FormState } from "../../ui/console/views.ts";
import { EditConflict, InputError } from "../operation.ts";

/**
 * Runs what a form asks for. Undefined if its input is wrong or overtaken; then `again` has shown the form
 * once more, with the record as it is now where it was overtaken.
 */
export async function attempt<Output>(
  work: Promise<Output>,
  again: (state: Partial<FormState>, status: number, current?: unknown) => void | Promise<void>,
): Promise<{ output: Output } | undefined> {
  try {
    return { output: await work };
  } catch (error) {
    if (error instanceof EditConflict) {
      const differences = error.differences.flatMap(({ field, yours, current }) =>
        differencesIn(field, yours, current),
      );
      await again({ differences, revision: error.current.revision ?? "" }, 412, error.current.output);
      return undefined;
    }
    if (error instanceof InputError) {
      await again({ faults: [...error.faults] }, 400);
      return undefined;
    }
    if (error instanceof LiaisonError && error.code === "conflict") {
      await again({ faults: [{ field: "", problem: error.message }] }, 409);
      return undefined;
    }
    throw error;
  }
}

/** A line for a field; for a field of several values, one for each that differs. */
function differencesIn(
  field: string,
  yours: unknown,
  current: unknown,
): NonNullable<FormState["differences"]> {
  if (!isRecord(yours) || !isRecord(current))
    return [{ field, yours: shown(yours), current: shown(current) }];
  return Object.entries(yours)
    .filter(([name, value]) => !isDeepStrictEqual(value, current[name]))
    .map(([name, value]) => ({
      field: `${field}.${name}`,
      yours: shown(value),
      current: shown(current[name]),
    }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
