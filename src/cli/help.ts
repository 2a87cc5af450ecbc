/** Help: how commander writes it, what stands below it, and `liaison help`. */

import { Help, type Option, type Command as Parser } from "commander";
import type { Call, Command, ExitCode } from "./command.ts";

/**
 * Makes the command that describes the others.
 * @param describe runs `--help` of what its words call
 */
export function helpCommand(describe: (words: readonly string[], call: Call) => Promise<ExitCode>): Command {
  return {
    name: "help",
    summary: "Say what the commands do.",
    operand: "[COMMAND...]",
    flags: {},
    examples: ["liaison help", "liaison help serve"],
    run: (call) => describe([...call.operands, "--help"], call),
  };
}

/** Writes flags as `--config FILE`, and every command by its whole name, a column of them a section. */
export class CommandHelp extends Help {
  override minWidthToWrap = 20;
  #shown: Parser | undefined;

  override formatHelp(parser: Parser, helper: Help): string {
    this.#shown = parser;
    return super.formatHelp(parser, helper);
  }

  override optionTerm({ flags }: Option): string {
    return flags.replace(/[<>]/g, "");
  }

  override visibleOptions(parser: Parser): Option[] {
    return parser.commands.length > 0 ? [] : super.visibleOptions(parser);
  }

  override visibleCommands(parser: Parser): Parser[] {
    return parser.commands.flatMap((one) => (one.commands.length > 0 ? this.visibleCommands(one) : [one]));
  }

  override subcommandTerm(parser: Parser): string {
    const isBeside = (other: Parser) => other.helpGroup() === parser.helpGroup();
    const names = this.visibleCommands(this.#shown ?? parser)
      .filter(isBeside)
      .map(nameOf);
    return nameOf(parser).padEnd(Math.max(...names.map(({ length }) => length)));
  }

  override formatItem(term: string, width: number, description: string, helper: Help): string {
    return super.formatItem(term, term.startsWith("-") ? width : term.length, description, helper);
  }
}

/** Its words but the first, which is ours. */
function nameOf(parser: Parser): string {
  const above = parser.parent;
  return above?.parent ? `${nameOf(above)} ${parser.name()}` : parser.name();
}

/** Below all commands. */
export const overviewText = "\nExit codes: 0 done, 1 failed, 2 called wrongly. More: liaison help COMMAND";

/** Below the commands of one word: an example of each. */
export function groupText(word: string, commands: readonly Command[]): string {
  const examples = groupOf(word, commands).map(({ examples: [example = ""] }) => `  ${example}`);
  return `
Examples:
${examples.join("\n")}

Exit codes: 0 done, 1 failed, 2 called wrongly. More: liaison ${word} COMMAND --help`;
}

/** The commands that begin with a word. */
export function groupOf(word: string, commands: readonly Command[]): Command[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}

/** Below one command. */
export function commandText({ examples, failsWith, exits }: Command): string {
  const codes =
    failsWith === undefined
      ? `Exit codes: 0 done, 1 failed, 2 called wrongly${exits === undefined ? "" : `, ${exits}`}.`
      : `Exit codes: 0 done, or nothing to be done; ${failsWith} anything else: try again later.`;
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}\n\n${codes}`;
}
