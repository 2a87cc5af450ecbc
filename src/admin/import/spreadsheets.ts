/**
 * What spreadsheet programs and exports do to values on their way, told from what people write. Pure. Such a
 * value was another one before, which nobody can know any more: so it is told of, with what to do in that
 * program, and never stored.
 */

/** How a file is saved that can be read. */
export const SAVE_AS_CSV =
  'in Excel: Save As, "CSV UTF-8 (Comma delimited)"; in Calc: Save As, "Text CSV" in Unicode (UTF-8)';

/** How a value is meant: what is right in one may be wrong in another. */
export type Sense = "id" | "name" | "role" | "address";

interface Sign {
  senses: readonly Sense[];
  pattern: string;
  /** What it is, and what to do. Follows the value. */
  problem: string;
}

const AS_TEXT =
  "give the cells the format Text, fill the value in again from where it comes, and export again";
const REAL_VALUE = "fill in the value itself and export again";

const ANY: readonly Sense[] = ["id", "name", "role", "address"];
const MONTHS =
  "[Jj]an|[Ff]eb|[Mm][aä]r|[Mm]rz|[Aa]pr|[Mm]a[yij]|[Jj]u[nl]|[Aa]ug|[Ss]ept?|[Oo][ck]t|[Nn]ov|[Dd]e[cz]";

/** The day or the month of a date whose year has two digits: `12/34/56` is none. */
const DAY = "(?:0?[1-9]|[12]\\d|3[01])";
/** The half of the day behind a time. */
const NOON = "\\s?[AaPp]\\.?[Mm]\\.?";

/**
 * Characters that the bytes 80 to BF are in Windows-1252: the second and further ones of a character in
 * UTF-8.
 */
const FURTHER = "[\\u0080-\\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]";

const SIGNS: readonly Sign[] = [
  {
    senses: ANY,
    pattern:
      "^(?:#{2,}|#[¡¿]?[\\p{Lu}\\d/_]+[!?]|#(?:N/[ABD]|NV|I/T|GETTING_DATA)|Err:\\d{3}|Loading\\.\\.\\.)$",
    problem:
      "is an error that a spreadsheet shows; mend the formula or widen the column there, and export again",
  },
  {
    senses: ANY,
    pattern: "^=",
    problem: 'is a formula; replace it by its value there (Paste Special, "Values") and export again',
  },
  {
    senses: ANY,
    pattern: "^(?:TRUE|FALSE|WAHR|FALSCH|VRAI|FAUX)$",
    problem: `is how a spreadsheet writes yes or no; ${AS_TEXT}`,
  },
  {
    senses: ["id", "role"],
    pattern:
      "^(?:VERDADERO|VERDADEIRO|FALSO|VERO|WAAR|ONWAAR|SAND|FALSK|SANT|FALSKT|SANN|USANN|PRAWDA|FAŁSZ)$",
    problem: `is how a spreadsheet writes yes or no; ${AS_TEXT}`,
  },
  {
    senses: ANY,
    pattern:
      "^(?:NULL|null|[(<\\[](?:[Nn]ull|NULL|blank|empty)[)>\\]]|\\\\N|NaN|nan|undefined|\\[object " +
      "Object\\])$",
    problem: `is how a program writes that there is nothing; ${REAL_VALUE}`,
  },
  {
    senses: ANY,
    pattern: "_x[\\dA-Fa-f]{4}_|&(?:[A-Za-z][a-z]{1,7}|#\\d{1,6}|#[xX][\\dA-Fa-f]{1,6});",
    problem: "holds what an export wrote instead of a character; write the character itself and export again",
  },
  {
    senses: ANY,
    pattern:
      `[ÂÃ]${FURTHER}|[ÄÅ](?![–—’”»…])${FURTHER}|(?:[ÎÏÐÑ×ØÙÚÛ]${FURTHER}){2}` +
      `|[à-ï]${FURTHER}{2}|ð${FURTHER}{3}` +
      "|[√├┬]\\S|¬[^ -~]",
    problem:
      "was read in another encoding than it was written in; open the original as UTF-8 (in Excel: Data, " +
      "From Text/CSV, 65001: Unicode) and export again",
  },
  {
    senses: ANY,
    pattern: '^"[^"]*"$',
    problem:
      "stands in the quotation marks of a file; save the original as CSV once, and not what was saved so " +
      "again",
  },
  {
    senses: ["id", "address"],
    pattern: "\\?",
    problem:
      "has a question mark for a character that was lost; save it as UTF-8 with the character in it " +
      `(${SAVE_AS_CSV})`,
  },
  {
    senses: ["name", "role"],
    pattern: "\\?\\p{L}|\\?{2}|^\\?",
    problem:
      "has a question mark for a character that was lost; save it as UTF-8 with the character in it " +
      `(${SAVE_AS_CSV})`,
  },
  {
    senses: ["id", "role", "address"],
    pattern: "^'",
    problem: "begins with the mark by which a spreadsheet knows text; take the ' away and export again",
  },
  {
    senses: ["name"],
    pattern: "^'[=+@\\d-]",
    problem: "begins with the mark by which a spreadsheet knows text; take the ' away and export again",
  },
  {
    senses: ["id", "role"],
    pattern: "[\\p{Cf}\\p{Default_Ignorable_Code_Point}]",
    problem: "holds a character that can't be seen; type the value anew and export again",
  },
  {
    senses: ["name"],
    pattern: "[\\u00ad\\u200b\\u2060\\ufeff]",
    problem: "holds a character that can't be seen; type the value anew and export again",
  },
  {
    senses: ["id", "role"],
    pattern: "^[-+]?\\d{1,3}(?:(?:[.,]\\d+)?[Ee]\\+\\d{1,3}|[.,]\\d+[Ee]-?\\d{1,3})$",
    problem: `is a number that a spreadsheet cut short; ${AS_TEXT}`,
  },
  {
    senses: ["id", "role"],
    pattern:
      `^\\d{1,2}[-. /]{1,2}(?:${MONTHS})\\.?(?:[-. /]\\d{2,4})?$|^(?:${MONTHS})[-. ]\\d{2,4}$` +
      `|^(?:\\d{1,2}[/.]\\d{1,2}[/.]\\d{4}|${DAY}/${DAY}/\\d{2})(?: ` +
      `\\d{1,2}:\\d\\d(?::\\d\\d)?(?:${NOON})?)?$` +
      `|^\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d|^\\d{1,2}:\\d\\d(?::\\d\\d(?:${NOON})?|${NOON})$`,
    problem: `is a day or a time that a spreadsheet made of something else; ${AS_TEXT}`,
  },
  {
    senses: ["id"],
    pattern:
      "^-?\\d+[.,]0{1,2}$|^-?\\d{1,3}(?:[,'’]\\d{3})+(?:[.,]\\d+)?$" +
      "|^-?\\d{1,2}(?:,\\d\\d)+,\\d{3}(?:\\.\\d+)?$" +
      "|^[-(]?\\p{Sc}\\s?-?\\d[\\d.,'’]*\\)?$|^-?\\d[\\d.,'’]*\\s?\\p{Sc}$",
    problem: `is written as an amount; ${AS_TEXT}`,
  },
  {
    senses: ["id"],
    pattern: "(?! )\\p{Zs}",
    problem: "holds another blank than the keyboard's; type the value anew, and export again",
  },
  {
    senses: ["id"],
    pattern: "[\\u2010-\\u2015\\u2212\\u2018-\\u201f\\u2026]",
    problem:
      "has a dash, a quotation mark or dots that a program put in for those of the keyboard; type the " +
      "value anew with " +
      "AutoCorrect off, and export again",
  },
  {
    senses: ["role"],
    pattern: '[;,/•·¦｜；，、\\n\\r\\t]|\\s[+\\\\]\\s|[\\[\\]{}"“”]',
    problem: "looks like a list; separate roles by | (in the spreadsheet: Find and Replace in that column)",
  },
  {
    senses: ["role"],
    pattern: "^(?:[Nn]one|NONE|[Nn]/[Aa]|-+)$",
    problem: "is how people write that there is nothing; leave the cell empty where a person has no role",
  },
];

interface Reader {
  /** Whether any of the signs is there: one look at values that are good, as nearly all are. */
  any: RegExp;
  signs: { pattern: RegExp; problem: string }[];
}

function readerOf(sense: Sense): Reader {
  const signs = SIGNS.filter(({ senses }) => senses.includes(sense));
  return {
    any: new RegExp(signs.map(({ pattern }) => `(?:${pattern})`).join("|"), "u"),
    signs: signs.map(({ pattern, problem }) => ({ pattern: new RegExp(pattern, "u"), problem })),
  };
}

const READERS: Record<Sense, Reader> = {
  id: readerOf("id"),
  name: readerOf("name"),
  role: readerOf("role"),
  address: readerOf("address"),
};

/**
 * What a program made of a value, and what to do there: to be said behind the value. Undefined for one that
 * is as it was.
 */
export function alterationOf(value: string, sense: Sense): string | undefined {
  const { any, signs } = READERS[sense];
  if (!any.test(value)) return undefined;
  return signs.find(({ pattern }) => pattern.test(value))?.problem;
}

/**
 * `="00123"`: how exports have a spreadsheet show a number with its zeros. The text in it is what is meant.
 */
export function withoutFormulaQuotes(value: string): string {
  return value.startsWith('="') ? value.replace(/^="([^"]*)"$/, "$1") : value;
}

/** Excel knows fifteen digits of a number and writes zeros for the others. */
const ROUNDED = /^\d{15}0+$/;
const EXACT_DIGITS = 15;

const ROUNDED_SIGN = "ends in zeros behind its fifteenth digit, as a number does that a spreadsheet rounded";
export const ROUNDED_PROBLEM = `${ROUNDED_SIGN}; ${AS_TEXT}`;

/** Whether a number may have lost its last digits; undefined for what has too few of them to say. */
export function looksRounded(value: string): boolean | undefined {
  return value.length > EXACT_DIGITS && /^\d+$/.test(value) ? ROUNDED.test(value) : undefined;
}

/** How many zeros a number that looks rounded has at its end, behind the digits that Excel knows. */
export function zerosBehindExact(value: string): number {
  return value.length - EXACT_DIGITS;
}
