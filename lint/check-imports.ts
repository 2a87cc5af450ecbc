/**
 * Finds the imports in `src/` that the table of directions (lint/imports.ts) doesn't allow, of values and of
 * types, static and dynamic, and a file that is loaded by its URL: `node lint/check-imports.ts [FOLDER]`.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, posix } from "node:path";
import { type Expression, parseSync, Visitor } from "oxc-parser";
import { ground, type Part, parts } from "./imports.ts";

interface Import {
  /** Where it begins in the file's text. */
  start: number;
  /** Undefined for what is computed. */
  specifier: string | undefined;
  isTypeOnly: boolean;
}

/** Every import of a file, however it is written. */
function importsOf(file: string, text: string): Import[] {
  const { program, errors } = parseSync(file, text);
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
  const found: Import[] = [];
  const note = (start: number, source: Expression | undefined, isTypeOnly: boolean) => {
    found.push({ start, specifier: source === undefined ? undefined : literalOf(source), isTypeOnly });
  };
  new Visitor({
    // `import { type A }` loads the file all the same: see verbatimModuleSyntax.
    ImportDeclaration: ({ start, source, importKind }) => note(start, source, importKind === "type"),
    ExportAllDeclaration: ({ start, source, exportKind }) => note(start, source, exportKind === "type"),
    ExportNamedDeclaration: ({ start, source, exportKind }) => {
      if (source !== null) note(start, source, exportKind === "type");
    },
    ImportExpression: ({ start, source }) => note(start, source, false),
    TSImportType: ({ start, source }) => note(start, source, true),
    CallExpression: ({ start, callee, arguments: [source] }) => {
      if (callee.type !== "Identifier" || callee.name !== "require") return;
      note(start, source?.type === "SpreadElement" ? undefined : source, false);
    },
    NewExpression: ({ start, callee, arguments: [path, base] }) => {
      if (callee.type !== "Identifier" || callee.name !== "URL") return;
      if (path === undefined || path.type === "SpreadElement" || base?.type !== "MemberExpression") return;
      const isCode = /\.[cm]?[jt]s$/.test(literalOf(path) ?? "");
      if (base.object.type === "MetaProperty" && isCode) note(start, path, false);
    },
  }).visit(program);
  return found;
}

/** The text of a string; undefined for what is computed. */
function literalOf(source: Expression): string | undefined {
  return source.type === "Literal" && typeof source.value === "string" ? source.value : undefined;
}

/** Whether a file of `src/` is this file, or in this folder. */
function isIn(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`);
}

/** The name of the part that a file of `src/` belongs to. */
function partOf(file: string): string | undefined {
  const around = Object.keys(parts).filter((part) => isIn(file, part));
  return around.toSorted((one, other) => other.length - one.length)[0];
}

/** Whether one of these, parts or single files, is what this file is or belongs to. */
function includes(places: readonly string[], file: string): boolean {
  return places.some((place) => place === file || place === partOf(file));
}

/** Why a file of `src/` may not have this import; undefined where it may. */
function faultOf(file: string, { specifier, isTypeOnly }: Import): string | undefined {
  const name = partOf(file) ?? "the ground";
  const part: Part = parts[name] ?? { imports: [] };
  if (specifier === undefined) return "imports what it computes, which nobody can check";
  if (isBuiltin(specifier)) return undefined;
  if (!specifier.startsWith(".")) {
    const [, ofPackage = specifier] = /^((?:@[^/]+\/)?[^/]+)/.exec(specifier) ?? [];
    if (/^[/#]|^\w+:/.test(specifier)) return `imports ${specifier}: a file is imported by its relative path`;
    if (part.packages === undefined || part.packages.includes(ofPackage)) return undefined;
    return `imports ${specifier}: of packages, ${name} may import ${listed(part.packages)}`;
  }
  const target = posix.join(posix.dirname(file), specifier);
  if (target.startsWith("../")) return `imports ${target.slice(3)}: src imports nothing outside itself`;
  const to = partOf(target);
  if (to !== undefined && to === partOf(file)) return undefined;
  if (part.withoutGround !== true && ground.includes(target)) return undefined;
  if (includes(part.imports, target)) return undefined;
  const isForTypes = includes(part.types ?? [], target);
  if (isForTypes && isTypeOnly) return undefined;
  const only = isForTypes ? "types of it alone" : listed(part.imports);
  const besides = part.withoutGround === true || isForTypes ? "" : ", besides itself and the ground";
  return `imports src/${target}: ${name} may import ${only}${besides}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "nothing" : names.join(", ");
}

/** Everything in the tree at `root` that is not as the table says, a line each. */
function faultsOf(root: string): string[] {
  const src = join(root, "src");
  const named = Object.values(parts).flatMap(({ imports, types = [] }) => imports.concat(types));
  const names = new Set(Object.keys(parts).concat(named, ground));
  const faults = [...names]
    .filter((name) => !existsSync(join(src, name)))
    .map((name) => `lint/imports.ts names src/${name}, which isn't there`);
  for (const name of readdirSync(src, { recursive: true, encoding: "utf8" }).sort()) {
    const file = name.replaceAll("\\", "/");
    if (!/\.[cm]?[jt]s$/.test(file)) continue;
    if (partOf(file) === undefined && !ground.includes(file)) {
      faults.push(`src/${file}:1 belongs to no part and isn't of the ground: give it its directions`);
    }
    const text = readFileSync(join(src, file), "utf8");
    for (const found of importsOf(file, text)) {
      const fault = faultOf(file, found);
      const line = text.slice(0, found.start).split("\n").length;
      if (fault !== undefined) faults.push(`src/${file}:${line} ${fault}`);
    }
  }
  return faults;
}

const faults = faultsOf(process.argv[2] ?? ".");
if (faults.length > 0) {
  console.error(faults.join("\n"));
  console.error(`Against the directions of import (${faults.length}): docs/architecture.md, lint/imports.ts`);
  process.exitCode = 1;
}
