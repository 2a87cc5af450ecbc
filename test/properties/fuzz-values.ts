/** Hostile values, and true ones spoiled a little. */

import type { Random } from "../crash/random.ts";

/** No page may contain this unescaped; see fuzz-checks.ts. */
export const markup = "<x7q n=1>";

const hostile = [
  markup,
  `"'>${markup}`,
  '" onx7q="1',
  "' onx7q='1",
  `</title></script>${markup}`,
  `<!--${markup}`,
  `&lt;x7q&gt;${markup}`,
  "javascript:x7q()",
  "data:text/html,<x7q n=1>",
  "https://x7q.example/",
  "//x7q.example/",
  "\\\\x7q.example\\",
  "/\\x7q.example",
  "https://a;x7q-directive",
  "http://localhost:9@x7q.example/",
  "http://localhost:9.x7q.example/customersource/callback",
  "\r\nx7q-header: 1",
  "%0d%0ax7q-header:%201",
  "x7q\n",
  "\0",
  "a\0b",
  "\u0085",
  "\u2028",
  "\u202ex7q",
  "\ufffd",
  "\ud83e\udd16",
  '{"$gt":""}',
  '{"$where":"sleep(9000)"}',
  "__proto__",
  "constructor",
  "prototype.x7q",
  "toString",
  "hasOwnProperty",
  "",
  " ",
  "\t",
  "0",
  "-1",
  "1e309",
  "9007199254740993",
  "NaN",
  "null",
  "undefined",
  "true",
  "[object Object]",
  "[]",
  "{}",
  "%",
  "%zz",
  "%00",
  "%E0%A4%A",
  "%c0%ae%c0%ae",
  "%u0041",
  "../../../../etc/passwd",
  "..\\..\\x7q",
  "%2e%2e%2f",
  ".",
  "..",
  "' OR 1=1 --",
  "$(x7q)",
  "{{7*7}}",
  "{0}",
  "{profile, select, other {x7q}}",
  "<script>x7q</script>",
  "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4N3EifQ.",
  "eyJhbGciOiJIUzI1NiJ9.e30.x7q",
  "e30.e30.e30",
  "....",
  "a.b.c.d.e",
  "openid ".repeat(40),
  "none login",
  "none consent select_account",
  "-",
  "_",
  "a".repeat(22),
  "A".repeat(43),
  "é".repeat(50),
  "victim@northwind.example,x7q@x7q.example",
  "x7q@x7q.example",
  `"victim"@northwind.example`,
  "<x7q n=1>@northwind.example",
  "victim@northwind.example\r\nBcc: x7q@x7q.example",
  "victim@northwind.example x",
  "vıctim@northwind.example",
] as const;

/** A field of a form or query: its name and its value. */
export type Field = [string, string];

/** Without what would end a header. */
export function withoutControls(value: string): string {
  return [...value].filter((character) => character >= " " && character !== "\x7f").join("");
}

/** Without spaces either: what can stand in a request line. */
export function visible(value: string): string {
  return withoutControls(value).replaceAll(" ", "");
}

export function oneOf<T>(random: Random, things: readonly T[]): T {
  return things[random.below(things.length)] as T;
}

export function chance(random: Random, probability: number): boolean {
  return random.next() < probability;
}

/** What only a careless reader takes for the victim's address. */
export const nearlyTheVictims = [
  "victim@northwind.example,x7q@x7q.example",
  "x7q@x7q.example, victim@northwind.example",
  "x7q@x7q.example;victim@northwind.example",
  '"victim"@northwind.example',
  "<victim@northwind.example>",
  "x7q <victim@northwind.example>",
  "victim@northwind.example x7q",
  "victim@northwind.example\r\nBcc: x7q@x7q.example",
  "victim@northwind.example\0",
  "vıctim@northwind.example",
  "victim(x7q)@northwind.example",
  "victim@northwind.example.",
  "victim+x7q@northwind.example",
  "victim@@northwind.example",
  "mailto:victim@northwind.example",
  "victim%40northwind.example",
  "victim＠northwind.example",
  "ｖictim@northwind.example",
  "<x7q n=1>@northwind.example",
];

export function hostileValue(random: Random): string {
  const value = oneOf(random, hostile);
  const turn = random.below(24);
  if (turn === 0) return value.repeat(1 + random.below(60)).slice(0, 4000);
  if (turn === 1) return value + oneOf(random, hostile);
  if (turn === 2) return "x".repeat(1 + random.below(6000));
  if (turn === 3)
    return Array.from({ length: 1 + random.below(30) }, () => String.fromCharCode(random.below(0x300))).join(
      "",
    );
  return value;
}

/** A true value that no longer is one. */
export function spoiled(random: Random, value: string): string {
  const at = random.below(value.length + 1);
  switch (random.below(8)) {
    case 0:
      return value.slice(0, at);
    case 1:
      return (
        value.slice(0, at) + oneOf(random, ["x", "_", " ", "%", ".", "\0", '"', "<"]) + value.slice(at + 1)
      );
    case 2:
      return value + oneOf(random, hostile);
    case 3:
      return oneOf(random, hostile) + value;
    case 4:
      return value === value.toUpperCase() ? value.toLowerCase() : value.toUpperCase();
    case 5:
      return encodeURIComponent(encodeURIComponent(`${value}<`));
    case 6:
      return value + value;
    default:
      return [...value].reverse().join("");
  }
}
