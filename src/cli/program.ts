/**
 * The parser of command lines: our commands as a tree of commander's. It parses and dispatches; what is wrong
 * with a call is gathered here, where commander stops at the first fault.
 */

import { CommanderError, Option, type ParseOptionsResult, Command as Parser } from "commander";
import { closest, didYouMean } from "../config/did-you-mean.ts";
import type { Command } from "./command.ts";
import { CommandHelp, commandText, groupText, overviewText } from "./help.ts";
import { widthOf } from "./output.ts";

/** What the words of a call come to. */
export interface Parsed {
  /** Values of the flags given; switches are "". */
  flags: Map<string, string>;
  operands: readonly string[];
  /** What is wrong with the words, a line each. */
  faults: readonly string[];
}

class HelpfulParser extends Parser {
  override createHelp(): CommandHelp {
    return new CommandHelp();
  }
}

/** The parser of one command. */
class CommandParser extends HelpfulParser {
  readonly definition: Command;
  readonly #faults: string[] = [];
  /** Values of flags that are misspelt, by what is meant: they are judged with the rest of the call. */
  readonly #meant = new Map<string, string>();
  #hasUnknown = false;

  constructor(definition: Command) {
    super(definition.name.split(" ").at(-1));
    const { summary, operand, flags, section = "Service" } = definition;
    this.definition = definition;
    this.description(summary)
      .usage(operand === undefined ? "[FLAGS]" : `${operand} [FLAGS]`)
      .argument("[operands...]")
      .helpGroup(`${section}:`)
      .optionsGroup("Flags:")
      .addHelpText("after", commandText(definition));
    for (const [name, { takes, summary: what }] of Object.entries(flags)) {
      this.addOption(new Option(takes === undefined ? `--${name}` : `--${name} <${takes}>`, what));
    }
  }

  /** Separates flags from operands. Only a wish for help is left for commander to find unknown. */
  override parseOptions(words: string[]): ParseOptionsResult {
    const { ids, others } = this.#withoutIds(words);
    const { operands, unknown } = this.#parseKnown(others);
    const help: string[] = [];
    const rest = [...unknown];
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
      if (word === "--") operands.push(...rest.splice(0));
      else if (word === "-h" || word === "--help") help.push(word);
      else if (word.startsWith("-") && word !== "-") this.#refuse(word, rest);
      else operands.push(word);
    }
    return { operands: [...operands, ...ids], unknown: help };
  }

  /** What was parsed; `operands` as commander gives them to the action. */
  parsed(operands: readonly string[]): Parsed {
    const flags = new Map(this.#meant);
    for (const option of this.options) {
      const value: unknown = this.getOptionValue(option.attributeName());
      if (value !== undefined) flags.set(option.name(), typeof value === "string" ? value : "");
    }
    const { flags: known } = this.definition;
    const empty = [...flags].filter(([name, value]) => value === "" && known[name]?.takes !== undefined);
    const lacking = empty.map(([name]) => this.#lacksValue(name));
    return { flags, operands, faults: [...this.#faults, ...lacking, ...this.#excess(operands)] };
  }

  /**
   * Ids are random text of 22 characters and may begin with a dash: what is one, and neither a flag nor the
   * value of one, is an operand.
   */
  #withoutIds(words: readonly string[]): { ids: string[]; others: string[] } {
    const end = words.includes("--") ? words.indexOf("--") : words.length;
    const { flags } = this.definition;
    const takesNext = (word = "") => word.startsWith("--") && flags[word.slice(2)]?.takes !== undefined;
    const isId = (word: string, place: number) =>
      place < end &&
      /^-[\w-]{21}$/.test(word) &&
      !Object.hasOwn(flags, word.slice(2)) &&
      !takesNext(words[place - 1]);
    return { ids: words.filter(isId), others: words.filter((word, place) => !isId(word, place)) };
  }

  #parseKnown(words: string[]): ParseOptionsResult {
    try {
      return super.parseOptions(words);
    } catch (error) {
      if (!(error instanceof CommanderError) || error.code !== "commander.optionMissingArgument") throw error;
      // Whatever follows a flag is its value: it is the last word alone that can lack one.
      this.#faults.push(this.#lacksValue(words.at(-1)?.slice(2) ?? ""));
      return super.parseOptions(words.slice(0, -1));
    }
  }

  /** Notes a flag that there isn't; a value of the one that is meant is taken off `rest`. */
  #refuse(word: string, rest: string[]): void {
    const [written = word] = word.split("=", 1);
    const { flags, name } = this.definition;
    if (Object.hasOwn(flags, written.slice(2))) {
      this.#faults.push(`${written} takes no value.`);
      return;
    }
    const known = ["help", ...Object.keys(flags)].map((flag) => `--${flag}`);
    this.#faults.push(`"liaison ${name}" has no flag ${written}.${didYouMean(written, known)}`);
    const meant = closest(written, known)?.slice(2);
    if (meant === undefined) {
      this.#hasUnknown = true;
      return;
    }
    const takesValue = flags[meant]?.takes !== undefined;
    const value = word === written && takesValue ? rest.shift() : word.slice(written.length + 1);
    this.#meant.set(meant, value ?? "");
  }

  #lacksValue(name: string): string {
    return `--${name} needs a value: --${name} ${this.definition.flags[name]?.takes}`;
  }

  /** The first operand that there is no place for. Of a flag that isn't known it may be the value. */
  #excess(operands: readonly string[]): string[] {
    const { name, operand, flags } = this.definition;
    const extra = operands[operand === undefined ? 0 : 1];
    if (extra === undefined || operand?.includes("...") === true || this.#hasUnknown) return [];
    const [flag] = Object.entries(flags).find(([, { takes = "" }]) => takes.split("|").includes(extra)) ?? [];
    const guess = flag === undefined ? "" : ` Did you mean --${flag} ${extra}?`;
    return [`"liaison ${name}" doesn't take "${extra}".${guess}`];
  }
}

/**
 * Makes the tree.
 * @param call runs the command that words come to
 */
export function programOf(
  commands: readonly Command[],
  { stdout, stderr }: { stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream },
  call: (command: Command, parsed: Parsed) => Promise<void>,
): Parser {
  const program = group("liaison")
    .exitOverride()
    .addHelpOption(new Option("-h, --help", "Say this.").helpGroup("Flags:"))
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => widthOf(stdout) ?? Number.POSITIVE_INFINITY,
      getErrHelpWidth: () => widthOf(stderr) ?? Number.POSITIVE_INFINITY,
    })
    .description("Liaison, an OpenID Connect identity broker.")
    .addHelpText("after", overviewText);
  for (const command of commands) {
    const parent = parentOf(command, program, commands);
    const parser = new CommandParser(command).copyInheritedSettings(parent);
    parser.action((operands: string[]) => call(command, parser.parsed(operands)));
    parent.addCommand(parser);
  }
  return program;
}

function group(name: string): Parser {
  return new HelpfulParser(name).usage("COMMAND [FLAGS]").helpCommand(false);
}

function parentOf({ name }: Command, program: Parser, commands: readonly Command[]): Parser {
  const [first = "", second] = name.split(" ");
  if (second === undefined) return program;
  const found = program.commands.find((one) => one.name() === first);
  if (found !== undefined) return found;
  const made = group(first).copyInheritedSettings(program).addHelpText("after", groupText(first, commands));
  program.addCommand(made);
  return made;
}
