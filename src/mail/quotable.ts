/** What mail servers say, as far as it may be kept. */

/**
 * The start of a reply as it is stored. A server that quotes what it was sent must not get a mailed link into
 * the records.
 */
export function quotable(reply: string): string {
  return reply
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replace(/\S*:\/\/\S*/g, "…")
    .trim()
    .slice(0, 200);
}
