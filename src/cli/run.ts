/** From the words of a command line to a command and its exit code. */

import { CommanderError } from "commander";
import { didYouMean } from "../config/did-you-mean.ts";
import { LiaisonError } from "../errors.ts";
import { type Call, type Command, type CommandGroup, type ExitCode, usageError } from "./command.ts";
import { groupOf } from "./help.ts";
import { printable } from "./output.ts";
import { type Parsed, programOf } from "./program.ts";

/** All commands, in their order. */
export async function allOf(sources: readonly (Command | CommandGroup)[]): Promise<readonly Command[]> {
  return (await Promise.all(sources.map(async (one) => ("load" in one ? await one.load() : [one])))).flat();
}

/** Runs what `words` call. What goes wrong is told on standard error; nothing is thrown. */
export async function run(
  words: readonly string[],
  sources: readonly (Command | CommandGroup)[],
  io: Pick<Call, "stdout" | "stderr" | "signal">,
): Promise<ExitCode> {
  let failsWith: ExitCode | undefined;
  let ended: ExitCode = 0;
  const call = async (command: Command, parsed: Parsed) => {
    failsWith = command.failsWith;
    ended = await runCommand(command, parsed, io);
  };
  try {
    const [first = "", ...rest] = words;
    const named = first === "--version" || first === "-v" ? ["version", ...rest] : words;
    const commands = await commandsFor(named, sources);
    await programOf(commands, io, call).parseAsync(named, { from: "user" });
    return ended;
  } catch (error) {
    const code = error instanceof CommanderError ? shown(error) : tell(error, io);
    return failsWith ?? code;
  }
}

/**
 * The commands that words may call, and no more: where they call none, there is help or an error.
 * @throws LiaisonError `usage`
 */
async function commandsFor(
  words: readonly string[],
  sources: readonly (Command | CommandGroup)[],
): Promise<readonly Command[]> {
  const [first, second] = words;
  if (first === undefined || isHelp(first)) return await allOf(sources);
  const commands = await allOf(sources.filter((one) => !("load" in one) || one.words.includes(first)));
  const isCommand = commands.some(({ name }) => name === first || name === `${first} ${second}`);
  const isGroup = (second === undefined || isHelp(second)) && groupOf(first, commands).length > 0;
  return isCommand || isGroup ? commands : refuse(words, await allOf(sources));
}

const isHelp = (word: string) => word === "--help" || word === "-h";

/** Says what there is instead of what was called. @throws LiaisonError `usage` */
function refuse([first = "", second = ""]: readonly string[], commands: readonly Command[]): never {
  const names = commands.map((command) => command.name);
  const group = groupOf(first, commands).map((command) => command.name);
  if (group.length > 0) {
    const guess = didYouMean(`${first} ${second}`, group);
    throw usageError(`"liaison ${first}" is followed by another word: ${group.join(", ")}.${guess}`);
  }
  const guess = didYouMean(first, names) || didYouMean(`${first} ${second}`, names);
  throw usageError(`There is no command "${first}".${guess} All of them: liaison help`);
}

/** Everything that is wrong with a call is told at once, and then nothing runs. */
async function runCommand(
  command: Command,
  { flags, operands, faults }: Parsed,
  io: Pick<Call, "stdout" | "stderr" | "signal">,
): Promise<ExitCode> {
  const call: Call = { ...io, flags, operands, operand: operands[0] };
  const all = [...faults, ...(command.faults?.(call) ?? [])];
  if (all.length > 0) throw usageError([...all, `See: liaison ${command.name} --help`].join("\n"));
  return await command.run(call);
}

/** How a call for help ends: one that wasn't meant as such was called wrongly. */
function shown({ exitCode }: CommanderError): ExitCode {
  return exitCode === 0 ? 0 : 2;
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
