/** Parses YAML text into located values. Knows nothing of the schema. */

import type { ErrorCode } from "yaml";
import { Alias, type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { type Faults, syntaxKey } from "./faults.ts";
import type { LocatedValue } from "./located-value.ts";

/** The library's own messages quote the text, which may be a secret: these don't. */
const problems: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: "the indentation doesn't fit the lines around it",
  BAD_SCALAR_START: "a value starting with @, ` or % needs quotes",
  DUPLICATE_KEY: "this key stands twice in its section",
  MISSING_CHAR: "a closing quote, bracket or comma is missing, or a space after a colon",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line; a colon or quote is missing here",
  MULTIPLE_DOCS: "a file holds one document: remove the --- line",
  TAB_AS_INDENT: "indent with spaces, not tabs",
  BLOCK_AS_IMPLICIT_KEY: "two keys stand on one line, or a value with a colon needs quotes",
};

export interface TextOrigin {
  /** What a fault names: a file's path, or `env NAME`. */
  name: string;
  /** Whether faults name lines. */
  lines: boolean;
  /** Folder that relative paths start from. */
  folder: string;
}

/**
 * Parses a text; what is wrong with it goes to `faults`, and the rest is read all the same. Empty text is an
 * empty section.
 */
export function parseYaml(text: string, origin: TextOrigin, faults: Faults): LocatedValue {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "silent" });
  const source = (offset: number | undefined) =>
    origin.lines ? `${origin.name}:${offset === undefined ? 1 : lines.linePos(offset).line}` : origin.name;
  for (const error of document.errors) {
    faults.add(syntaxKey, source(error.pos[0]), problems[error.code] ?? `is no valid YAML (${error.code})`);
    if (error.code !== "DUPLICATE_KEY") faults.keysMayBeLost = true;
  }
  return convert(document.contents, { document, source, origin, faults, depth: 0 });
}

interface Context {
  document: Document.Parsed;
  source: (offset: number | undefined) => string;
  origin: TextOrigin;
  faults: Faults;
  depth: number;
}

/** Far deeper than any configuration; stops aliases that contain themselves. */
const maximumDepth = 20;

function convert(node: unknown, context: Context): LocatedValue {
  const range = (node as { range?: [number, number, number] | null } | null)?.range;
  const source = context.source(range?.[0]);
  const scalar = (value: unknown): LocatedValue => ({
    kind: "scalar",
    source,
    folder: context.origin.folder,
    value,
    inFile: false,
  });
  if (context.depth > maximumDepth) {
    context.faults.add(syntaxKey, source, "sections are nested too deeply");
    return scalar(null);
  }
  const inner = { ...context, depth: context.depth + 1 };
  if (node instanceof Alias) {
    const target = node.resolve(context.document);
    if (target === undefined) context.faults.add(syntaxKey, source, "a value starting with * needs quotes");
    return target === undefined ? scalar(null) : convert(target, inner);
  }
  if (isMap(node)) {
    const entries = new Map<string, LocatedValue>();
    for (const pair of node.items) {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
      const child = convert(pair.value, inner);
      const position = (pair.key as { range?: [number, number, number] | null } | null)?.range?.[0];
      entries.set(key, { ...child, source: context.source(position) });
    }
    return { kind: "map", source, entries };
  }
  if (isSeq(node)) return { kind: "list", source, items: node.items.map((item) => convert(item, inner)) };
  return scalar(isScalar(node) ? node.value : null);
}
