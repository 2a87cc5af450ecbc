/**
 * What a person, or a program in their place, gets to see of an answer, for comparing two of them byte for
 * byte.
 */

import type { Page } from "./user-agent.ts";

/**
 * Status, headers and body; what differs between any two answers is blotted out, and with it what only this
 * visitor knows.
 * @param own such as the address they typed or the account they signed in with; escaped as it stands on the
 *   page
 */
export function seen({ status, headers, body }: Page, own: readonly string[] = []): string {
  const shown = [...headers]
    // The body's length is compared with the body.
    .filter(([name]) => name !== "date" && name !== "content-length")
    .map(
      ([name, value]) =>
        `${name}: ${name === "set-cookie" ? value.replace(/=[^;]+/, ({ length }) => `=${length}`) : value}`,
    )
    .sort();
  const unequal = /(name="csrf" value=")[^"]*|(class="code">)[^<]*|(expires=)[^;]*|(\/interaction\/)[\w-]+/g;
  const text = [status, ...shown, body].join("\n").replace(unequal, "$1$2$3$4…");
  const known = own.filter((one) => one !== "").flatMap((one) => [one, encodeURIComponent(one)]);
  return known.reduce((left, one) => left.replaceAll(one, "…"), text);
}
