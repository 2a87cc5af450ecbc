/** From the words of a command line to a command and its exit code. */

import { parseArgs } from "node:util";
import { didYouMean } from "../config/suggest.ts";
import { LiaisonError } from "../errors.ts";
import { type Call, type Command, type CommandGroup, type ExitCode, usageError } from "./command.ts";
import { describe, describeGroup, groupOf, overview } from "./help.ts";
import { printable } from "./table.ts";

/** All commands, in their order. */
export async function allOf(sources: readonly (Command | CommandGroup)[]): Promise<readonly Command[]> {
  return (await Promise.all(sources.map(async (one) => ("load" in one ? await one.load() : [one])))).flat();
}

/** Those whose name may begin with a word: no more is loaded. */
async function named(
  word: string,
  sources: readonly (Command | CommandGroup)[],
): Promise<readonly Command[]> {
  return await allOf(sources.filter((one) => !("load" in one) || one.words.includes(word)));
}

/** Runs what `words` call. What goes wrong is told on standard error; nothing is thrown. */
export async function run(
  words: readonly string[],
  sources: readonly (Command | CommandGroup)[],
  io: Pick<Call, "stdout" | "stderr" | "signal">,
): Promise<ExitCode> {
  let failsWith: ExitCode | undefined;
  try {
    const [first] = words;
    if (first === undefined || first === "--help" || first === "-h") {
      (first === undefined ? io.stderr : io.stdout).write(overview(await allOf(sources)));
      return first === undefined ? 2 : 0;
    }
    const commands = await named(first, sources);
    if (words.length === 2 && (words[1] === "--help" || words[1] === "-h")) {
      const group = groupOf(first, commands);
      if (group.length > 0) {
        io.stdout.write(describeGroup(first, group));
        return 0;
      }
    }
    const command = find(words, commands) ?? refuse(words, await allOf(sources));
    failsWith = command.failsWith;
    const rest = words.slice(first.startsWith("-") ? 1 : command.name.split(" ").length);
    const { flags, operands } = parse(command, rest);
    if (flags.has("help")) {
      io.stdout.write(describe(command));
      return 0;
    }
    const allowed = command.operand === undefined ? 0 : 1;
    // `help config check` names a command of two words.
    const operand = command.name === "help" && operands.length > 0 ? operands.join(" ") : operands[0];
    if (command.name !== "help" && operands.length > allowed) {
      const extra = operands[allowed] ?? "";
      const see = `See: liaison ${command.name} --help`;
      throw usageError(`"liaison ${command.name}" doesn't take "${extra}".${flagFor(command, extra)} ${see}`);
    }
    return await command.run({ ...io, flags, operand });
  } catch (error) {
    const code = tell(error, io);
    return failsWith ?? code;
  }
}

/** The flag whose value a word is, where somebody left the flag out. */
function flagFor({ flags }: Command, word: string): string {
  const [name] = Object.entries(flags).find(([, { takes = "" }]) => takes.split("|").includes(word)) ?? [];
  return name === undefined ? "" : ` Did you mean --${name} ${word}?`;
}

function find(
  [first = "", second = ""]: readonly string[],
  commands: readonly Command[],
): Command | undefined {
  const name = first === "--version" || first === "-v" ? "version" : first;
  return commands.find((command) => command.name === name || command.name === `${first} ${second}`);
}

/** Says what there is instead of what was called. @throws LiaisonError `usage` */
function refuse([first = "", second = ""]: readonly string[], commands: readonly Command[]): never {
  const names = commands.map((command) => command.name);
  const group = groupOf(first, commands).map((command) => command.name);
  if (group.length > 0) {
    const guess = second === "" ? "" : didYouMean(`${first} ${second}`, group);
    throw usageError(`"liaison ${first}" is followed by another word: ${group.join(", ")}.${guess}`);
  }
  const guess = didYouMean(first, names) || didYouMean(`${first} ${second}`, names);
  throw usageError(`There is no command "${first}".${guess} All of them: liaison help`);
}

function parse(
  command: Command,
  words: readonly string[],
): { flags: Map<string, string>; operands: string[] } {
  const known = { ...command.flags, help: { summary: "" } };
  const options = Object.fromEntries(
    Object.entries(known).map(([name, flag]) => [
      name,
      { type: "takes" in flag ? "string" : "boolean" } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: operandsLast(words, known), options, strict: false, tokens: true });
  const flags = new Map<string, string>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const flag = Object.entries(known).find(
      ([name]) => name === token.name || (token.rawName === "-h" && name === "help"),
    );
    if (flag === undefined) {
      const guess = didYouMean(
        token.rawName,
        Object.keys(known).map((name) => `--${name}`),
      );
      throw usageError(
        `"liaison ${command.name}" has no flag ${token.rawName}.${guess} See: liaison ${command.name} --help`,
      );
    }
    const [name, { takes }] = flag as [string, { takes?: string }];
    if (takes !== undefined && !token.value) throw usageError(`--${name} needs a value: --${name} ${takes}`);
    if (takes === undefined && token.value !== undefined) throw usageError(`--${name} takes no value.`);
    flags.set(name, token.value ?? "");
  }
  return { flags, operands };
}

/**
 * Ids are random text of 22 characters and may begin with a dash: what is one, and no flag, is put where none
 * is looked for.
 */
function operandsLast(words: readonly string[], known: Command["flags"]): string[] {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const flags = new Map(Object.entries(known));
  const takesNext = (word = "") => word.startsWith("--") && flags.get(word.slice(2))?.takes !== undefined;
  const isId = (word: string, place: number) =>
    place < end && /^-[\w-]{21}$/.test(word) && !flags.has(word.slice(2)) && !takesNext(words[place - 1]);
  const ids = words.filter(isId);
  const others = words.filter((word, place) => !isId(word, place));
  if (ids.length === 0) return others;
  return end < words.length ? [...others, ...ids] : [...others, "--", ...ids];
}

function tell(error: unknown, { stderr }: Pick<Call, "stderr">): ExitCode {
  const isExpected = error instanceof LiaisonError;
  const text = isExpected
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  // Some of it comes from elsewhere.
  stderr.write(`liaison: ${text.split("\n").map(printable).join("\n")}\n`);
  return isExpected && error.code === "usage" ? 2 : 1;
}
