import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { looksLikeAddress, parseAddress, plainAddress } from "../../src/domain/address.ts";

const keyOf = (input: unknown) => parseAddress(input)?.key;

describe("address policy: one mailbox, one key", () => {
  const cases: [why: string, input: string, key: string][] = [
    ["letter case", "Anna.Berg@Contoso.EXAMPLE", "anna.berg@contoso.example"],
    ["white space that came with copying", " \tanna@contoso.example\u00a0 ", "anna@contoso.example"],
    ["a tag stays", "anna+Portal@contoso.example", "anna+portal@contoso.example"],
    ["dots stay", "a.n.n.a@contoso.example", "a.n.n.a@contoso.example"],
    ["an IDN becomes its A-label", "anna@BÜCHER.example", "anna@xn--bcher-kva.example"],
    ["punycode in upper case", "anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"],
    ["letters beyond ASCII", "ÅSA@contoso.example", "åsa@contoso.example"],
    ["decomposed letters are composed", "A\u030asa@contoso.example", "åsa@contoso.example"],
    ["another script", "Анна@пример.example", "анна@xn--e1afmkfd.example"],
    ["a right-to-left script", "دانا@contoso.example", "دانا@contoso.example"],
    ["sharp s is not ss", "anna@straße.example", "anna@xn--strae-oqa.example"],
    ["a longest local part", `${"a".repeat(64)}@contoso.example`, `${"a".repeat(64)}@contoso.example`],
    ["RFC 5322's odd but plain characters", "o'neil&co=x/y@contoso.example", "o'neil&co=x/y@contoso.example"],
  ];
  for (const [why, input, key] of cases) {
    it(`L13 ${why}: ${JSON.stringify(input)}`, () => assert.equal(keyOf(input), key));
  }

  it("keeps the address as it was written, without the space around it", () => {
    assert.equal(parseAddress(" Anna@Bücher.example ")?.address, "Anna@Bücher.example");
  });
});

describe("address policy: different mailboxes never meet", () => {
  const pairs: [why: string, one: string, other: string][] = [
    ["L13 dotless i", "hılda@contoso.example", "hilda@contoso.example"],
    ["L13 dotted capital I", "hİlda@contoso.example", "hilda@contoso.example"],
    ["L13 dotless i in upper case is I", "HILDA@contoso.example", "hılda@contoso.example"],
    ["L13 dotless i in a domain", "anna@mıcro.example", "anna@micro.example"],
    ["L13 dotted capital I in a domain", "anna@mİcro.example", "anna@micro.example"],
    ["L13 Cyrillic a", "аnna@contoso.example", "anna@contoso.example"],
    ["L13 a tag", "anna+a@contoso.example", "anna@contoso.example"],
    ["L13 sharp s", "anna@strasse.example", "anna@straße.example"],
  ];
  for (const [why, one, other] of pairs) {
    it(`${why}: ${one} is not ${other}`, () => {
      assert.notEqual(keyOf(one), keyOf(other));
      assert.notEqual(keyOf(other), undefined);
    });
  }
});

describe("address policy: what is refused", () => {
  const refused: [why: string, input: unknown][] = [
    ["L13 full-width at sign", "anna＠contoso.example"],
    ["L13 full-width letter", "ａnna@contoso.example"],
    ["L13 full-width letter in a domain", "anna@ｃontoso.example"],
    ["L13 ideographic full stop", "anna@contoso。example"],
    ["L13 Kelvin sign", "\u212aelvin@contoso.example"],
    ["L13 long s", "anna\u017f@contoso.example"],
    ["L13 ligature", "o\ufb03ce@contoso.example"],
    ["L13 mathematical letter", "\u{1d41a}nna@contoso.example"],
    ["L14 list with comma", "anna@contoso.example,eve@evil.example"],
    ["L14 list with semicolon", "anna@contoso.example;eve@evil.example"],
    ["L14 list with space", "anna@contoso.example eve@evil.example"],
    ["L14 array", ["anna@contoso.example"]],
    ["L14 array of two", ["anna@contoso.example", "eve@evil.example"]],
    ["L14 object", { address: "anna@contoso.example" }],
    ["L14 object with toString", { toString: () => "anna@contoso.example" }],
    ["L14 null", null],
    ["L14 undefined", undefined],
    ["L14 quoted local part", '"anna"@contoso.example'],
    ["L14 quoted local part with an address in it", '"eve@evil.example"@contoso.example'],
    ["L14 comment", "anna(hello)@contoso.example"],
    ["L14 comment after", "anna@contoso.example(hello)"],
    ["L14 group", "friends:anna@contoso.example;"],
    ["L14 display name", "Anna <anna@contoso.example>"],
    ["L14 angle brackets", "<anna@contoso.example>"],
    ["L14 CR LF and a header", "anna@contoso.example\r\nBcc: eve@evil.example"],
    ["L14 LF at the end", "anna@contoso.example\n"],
    ["L14 CR at the start", "\ranna@contoso.example"],
    ["L14 NUL", "anna\0@contoso.example"],
    ["L14 line separator", "anna@contoso.example\u2028"],
    ["L14 two at signs", "anna@contoso.example@evil.example"],
    ["L14 source route", "@relay.example:anna@contoso.example"],
    ["backslash", "anna\\@contoso.example"],
    ["bidi override", "anna\u202e@contoso.example"],
    ["zero-width space", "an\u200bna@contoso.example"],
    ["zero-width joiner", "an\u200dna@contoso.example"],
    ["soft hyphen in a domain", "anna@con\u00adtoso.example"],
    ["variation selector", "anna@contoso\ufe0f.example"],
    ["unpaired surrogate", "anna\ud800@contoso.example"],
    ["a mark with nothing to stand on", "\u0301anna@contoso.example"],
    ["empty", ""],
    ["only space", "   "],
    ["no at sign", "anna.contoso.example"],
    ["no local part", "@contoso.example"],
    ["no domain", "anna@"],
    ["no dot", "anna@contoso"],
    ["localhost", "anna@localhost"],
    ["leading dot", ".anna@contoso.example"],
    ["trailing dot", "anna.@contoso.example"],
    ["two dots", "an..na@contoso.example"],
    ["leading dot in the domain", "anna@.contoso.example"],
    ["trailing dot in the domain", "anna@contoso.example."],
    ["two dots in the domain", "anna@contoso..example"],
    ["leading hyphen", "anna@-contoso.example"],
    ["underscore in the domain", "anna@con_toso.example"],
    ["percent-encoding in the domain", "anna@cont%6Fso.example"],
    ["IPv4 literal", "anna@[192.0.2.1]"],
    ["IPv6 literal", "anna@[IPv6:2001:db8::1]"],
    ["bare IPv4", "anna@192.0.2.1"],
    ["hexadecimal IPv4", "anna@0xc0.0x2.1"],
    ["emoji", "anna🙂@contoso.example"],
    ["too long a local part", `${"a".repeat(65)}@contoso.example`],
    ["too long a local part in octets", `${"å".repeat(33)}@contoso.example`],
    ["too long a label", `anna@${"a".repeat(64)}.example`],
    ["too long altogether", `anna@${"a.".repeat(125)}example`],
    ["megabytes", `${"a".repeat(2_000_000)}@contoso.example`],
  ];
  for (const [why, input] of refused) {
    it(`${why}`, () => assert.equal(parseAddress(input), undefined));
  }
});

describe("address policy: properties", () => {
  const letters = fc.string({
    minLength: 1,
    maxLength: 20,
    unit: fc.constantFrom(..."abzABZ09.+-_'ıİiIåÅßσςΣжЖ"),
  });
  const domains = fc.constantFrom(
    "contoso.example",
    "Contoso.Example",
    "bücher.example",
    "XN--BCHER-KVA.example",
  );
  const addresses = fc.tuple(letters, domains).map(([local, domain]) => `${local}@${domain}`);

  it("never throws, whatever it is given", () => {
    fc.assert(fc.property(fc.anything(), (input) => void parseAddress(input)));
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (input) => void parseAddress(`${input}@contoso.example`)),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (input) => void parseAddress(`anna@${input}.example`)),
    );
  });

  it("a key is its own key", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          addresses,
          fc.string({ unit: "grapheme" }).map((local) => `${local}@x.example`),
        ),
        (input) => {
          const key = keyOf(input);
          if (key !== undefined) assert.equal(keyOf(key), key);
        },
      ),
    );
  });

  it("a key is one line with one at sign, an ASCII domain and no white space", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (local, domain) => {
        const key = keyOf(`${local}@${domain}.example`);
        if (key !== undefined) assert.match(key, /^[^@\s,;<>"()[\]\\:]+@[a-z0-9.-]+$/);
      }),
    );
  });

  it("letter case in ASCII never matters, and another ASCII letter always does", () => {
    const ascii = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(..."abcxyz0189") });
    fc.assert(
      fc.property(ascii, ascii, (one, other) => {
        assert.equal(keyOf(`${one.toUpperCase()}@x.example`), keyOf(`${one}@X.EXAMPLE`));
        assert.equal(keyOf(`${one}@x.example`) === keyOf(`${other}@x.example`), one === other);
      }),
    );
  });

  it("a character outside ASCII never ends up as an ASCII one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0x80, max: 0x10ffff }), (code) => {
        const character = String.fromCodePoint(code);
        const local = keyOf(`a${character}b@x.example`)?.split("@")[0];
        if (local !== undefined && character !== "\u00a0") assert.doesNotMatch(local, /^[\x20-\x7e]*$/);
        const domain = keyOf(`a@a${character}b.example`)?.split("@")[1];
        if (domain !== undefined) assert.match(domain, /^xn--/);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("plainAddress: the one address in decoration", () => {
  const plain = "Bo.Lund+it@Harbour.example";
  for (const text of [
    `mailto:${plain}`,
    `MAILTO:${plain}?subject=Hello`,
    "mailto:Bo.Lund%2Bit@Harbour.example",
    `<mailto:${plain}>`,
    `Bo Lund <${plain}>`,
    `"Lund, Bo" <${plain}>`,
    `Lund, Bo (Sales) <${plain}>;`,
    `<${plain}>`,
    `<${plain}`,
    `${plain}<mailto:${plain}>`,
    `'${plain}' <${plain}>`,
    `${plain};`,
    `${plain}, `,
    `${plain}.`,
    `${plain}!`,
    `'${plain}'`,
    `"${plain}".`,
    `“${plain}”`,
    `(${plain})`,
    `\u200b${plain}`,
    `${plain}\u2060`,
    "Bo.Lund+it @ Harbour.example",
    "Bo.Lund+it@@Harbour.example",
  ]) {
    it(`offers it for ${JSON.stringify(text)}`, () => assert.equal(plainAddress(text), plain));
  }
  it("offers what stands in names of many languages", () => {
    assert.equal(plainAddress("Åsa Ørn <åsa@bücher.example>"), "åsa@bücher.example");
    assert.equal(plainAddress("o'neil@contoso.example;"), "o'neil@contoso.example");
  });

  for (const text of [
    "anna@contoso.example",
    "  ANNA@contoso.example\t",
    "anna@contoso.example,eve@evil.example",
    "anna@contoso.example; eve@evil.example;",
    "eve@evil.example <anna@contoso.example>",
    "anna@contoso.example <eve@evil.example>",
    "mailto:anna@contoso.example?cc=eve@evil.example",
    "mailto:anna%40evil.example@contoso.example",
    "mailto:anna%0d%0aBcc@contoso.example",
    "friends:anna@contoso.example;",
    "friends: Anna <anna@contoso.example>;",
    "Anna <@relay.example:anna@contoso.example>",
    "Anna <Eve <anna@contoso.example>>",
    '"anna"@contoso.example',
    '"eve@evil.example"@contoso.example',
    "'anna'@contoso.example.",
    "anna(work)@contoso.example",
    "(work)anna@contoso.example",
    "anna@contoso.example(work)",
    "anna@contoso.example (work)",
    "evil.example!anna@contoso.example.",
    "anna%contoso.example@evil.example.",
    ".anna@contoso.example",
    "anna..b@contoso.example;",
    "anna@contoso.example@evil.example",
    "@anna@contoso.example",
    "anna@contoso.example\r\n",
    "Anna\r\n <anna@contoso.example>",
    "anna@contoso.example\u2028",
    "anna＠contoso.example",
    "an\u200bna@contoso.example",
    "<anna@localhost>",
    "<>",
    "@",
    "",
  ]) {
    it(`has nothing to offer for ${JSON.stringify(text)}`, () => assert.equal(plainAddress(text), undefined));
  }

  it("takes its time for nothing that somebody may send", () => {
    const begun = performance.now();
    for (const text of ["<".repeat(320), "@ ".repeat(160), `a@b.c${";".repeat(300)}x`, '"'.repeat(319)])
      plainAddress(text);
    assert.ok(performance.now() - begun < 200);
  });
});

describe("looksLikeAddress: something@something.something, and no more", () => {
  for (const input of [
    "anna@contoso.example",
    "anna＠contoso.example",
    '"anna berg"@contoso.example',
    "a@x.example, b@x.example",
    "anna@contoso.example\r\nBcc: eve@evil.example",
    "anna@192.0.2.1",
    "x@y.z@w.v",
  ]) {
    it(`passes ${JSON.stringify(input)}`, () => assert.equal(looksLikeAddress(input), true));
  }
  for (const input of [
    "",
    " ",
    "anna",
    "anna@",
    "@contoso.example",
    "anna@contoso",
    "anna@.",
    "anna@x.",
    "anna.berg",
  ]) {
    it(`refuses ${JSON.stringify(input)}`, () => assert.equal(looksLikeAddress(input), false));
  }
});
