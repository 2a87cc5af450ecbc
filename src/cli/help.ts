/** `liaison help`, and every command's `--help`. */

import { didYouMean } from "../config/suggest.ts";
import { type Command, usageError } from "./command.ts";

/**
 * Makes the command that describes the others. They are loaded when it is called: the help command is one of
 * them.
 */
export function helpCommand(load: () => Promise<readonly Command[]>): Command {
  return {
    name: "help",
    summary: "Say what the commands do.",
    operand: "[COMMAND]",
    flags: {},
    examples: ["liaison help", "liaison help serve"],
    async run({ operand, stdout }) {
      const commands = await load();
      const command = commands.find(({ name }) => name === operand);
      if (command !== undefined || operand === undefined) {
        stdout.write(command === undefined ? overview(commands) : describe(command));
        return 0;
      }
      const group = groupOf(operand, commands);
      if (group.length === 0) {
        const names = commands.map(({ name }) => name);
        throw usageError(`There is no command "${operand}".${didYouMean(operand, names)}`);
      }
      stdout.write(describeGroup(operand, group));
      return 0;
    },
  };
}

/** All commands at a glance. */
export function overview(commands: readonly Command[]): string {
  const sections = [...new Set(commands.map(sectionOf))].map((section) => {
    const members = commands.filter((one) => sectionOf(one) === section);
    return `${section}:\n${listed(members)}`;
  });
  return `Liaison, an OpenID Connect identity broker.

Usage: liaison COMMAND [FLAGS]

${sections.join("\n\n")}

Exit codes: 0 done, 1 failed, 2 called wrongly. More: liaison help COMMAND
`;
}

const sectionOf = ({ section = "Service" }: Command) => section;

const listed = (commands: readonly Command[]) =>
  columns(commands.map(({ name, summary }) => [name, summary]));

/** The commands that begin with a word. */
export function groupOf(word: string, commands: readonly Command[]): Command[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}

/** The commands of one word, each with an example. */
export function describeGroup(word: string, group: readonly Command[]): string {
  return `Usage: liaison ${word} COMMAND [FLAGS]

${listed(group)}

Examples:
${group.map(({ examples: [example = ""] }) => `  ${example}`).join("\n")}

Exit codes: 0 done, 1 failed, 2 called wrongly. More: liaison ${word} COMMAND --help
`;
}

/** One command with its flags and examples. */
export function describe(command: Command): string {
  const flags = Object.entries(command.flags).map(([name, { takes, summary }]): [string, string] => [
    `--${name}${takes === undefined ? "" : ` ${takes}`}`,
    summary,
  ]);
  flags.push(["--help", "Say this."]);
  const operand = command.operand === undefined ? "" : ` ${command.operand}`;
  return `${command.summary}

Usage: liaison ${command.name}${operand} [FLAGS]

${columns(flags)}

Examples:
${command.examples.map((example) => `  ${example}`).join("\n")}

${exitCodes(command)}
`;
}

function exitCodes({ failsWith, exits }: Command): string {
  if (failsWith === undefined) {
    return `Exit codes: 0 done, 1 failed, 2 called wrongly${exits === undefined ? "" : `, ${exits}`}.`;
  }
  return `Exit codes: 0 done, or nothing to be done; ${failsWith} anything else: try again later.`;
}

function columns(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`).join("\n");
}
