/** Which ids a record may be given: not the names of what every object inherits. How ids are spelled is their doors' to say. */

/** `constructor`, `__proto__`, `toString` and the others: a record of ids that is a plain object seems to hold them all. */
const inherited: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** What is said of a reserved id: why, and what to do. Follows the name of the field. */
export const RESERVED_ID_PROBLEM =
  "this id is the name of something that every JavaScript object has, as constructor is; choose another one";

/** Whether an id is a name of `Object.prototype`. Exact: ids are compared to the letter everywhere. */
export function isReservedId(id: string): boolean {
  return inherited.has(id);
}
