/**
 * The short code by which a person tells their own request from somebody else's: the same on the page, in the
 * mail, at the link.
 */

import { createHash } from "node:crypto";
import type { InquiryId } from "./records.ts";

/** No vowels, so that no word comes out, and no letter that looks like a digit. */
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
const LENGTH = 4;

/**
 * The code of an inquiry: four letters, one of 160,000. It is no secret and opens nothing; an inquiry that
 * matched nothing has one, too.
 */
export function matchingCode(inquiryId: InquiryId): string {
  let number = createHash("sha256").update(`matching-code:${inquiryId}`).digest().readUInt32BE();
  let code = "";
  while (code.length < LENGTH) {
    code += LETTERS[number % LETTERS.length];
    number = Math.floor(number / LETTERS.length);
  }
  return code;
}
