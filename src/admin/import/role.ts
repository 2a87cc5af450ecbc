/**
 * What a role of a profile may be called: one rule for imports, the API, the pages and the command line, so
 * that every role that one of them stores can be written by the others. Pure.
 */

import { printable } from "./columns.ts";
import { alterationOf } from "./spreadsheets.ts";

/** How many roles a profile has at the most. */
export const MAX_ROLES = 50;
const MAX_LENGTH = 128;

/** What an import separates roles by. */
const SEPARATOR = "|";

/**
 * Control characters, separators of lines, those that turn the reading direction, and half or lost
 * characters.
 */
const UNWANTED = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\ufffd]/u;

/** What is wrong with a role where it is written by itself; said behind the field's name. */
export const ROLE_PROBLEM =
  `write each role by itself: its name holds no ${SEPARATOR} ; , / or other mark of a list, and isn't ` +
  "what a spreadsheet " +
  "writes for something else, such as a date, TRUE or none";

/** Reads what stands in an import: the roles, each once, and what is wrong with one of them. */
export function readRoles(written: string): { roles: string[]; problem: string | undefined } {
  const names = written
    .split(SEPARATOR)
    .map((role) => role.trim())
    .filter((role) => role !== "");
  const problems = names.map(problemOf).filter((problem) => problem !== undefined);
  // What a program did to one says how to mend them all.
  const first = problems.find(({ isAltered }) => isAltered) ?? problems[0];
  return { roles: [...new Set(names.map(withPlainBlanks))], problem: first?.text };
}

/** Whether an import reads this name as this one role. */
export function isRole(name: string): boolean {
  const { roles, problem } = readRoles(name);
  return problem === undefined && roles.length === 1 && roles[0] === name;
}

const withPlainBlanks = (role: string) => role.replace(/(?! )\p{Zs}/gu, " ");

function problemOf(role: string): { isAltered: boolean; text: string } | undefined {
  const alteration = alterationOf(role, "role");
  if (alteration !== undefined) return { isAltered: true, text: `${printable(role)} ${alteration}` };
  if (role.length <= MAX_LENGTH && !UNWANTED.test(role)) return undefined;
  return {
    isAltered: false,
    text: `${printable(role)} is no role; write names of up to ${MAX_LENGTH} characters`,
  };
}
