/** `liaison completion`: a shell's script, and the candidates that it asks for while somebody types. */

import type { ShellCompletion } from "@optique/core/completion";
import type { Suggestion } from "@optique/core/parser";
import { type Call, type Command, type CommandGroup, type Flag, faultsOf, usageError } from "./command.ts";
import { put } from "./output.ts";

type Sources = readonly (Command | CommandGroup)[];

const shells = ["bash", "zsh", "fish"] as const;

/** Makes the command. @param sources all commands; the groups that words name are loaded, and no others */
export function completionCommand(sources: () => Sources): Command {
  return {
    name: "completion",
    summary: "Print a script by which a shell completes commands, flags and values.",
    operand: `${shells.join("|")} [-- WORD...]`,
    flags: {},
    examples: [
      "source <(liaison completion bash)     # a line of ~/.bashrc; of ~/.zshrc with zsh",
      "liaison completion fish > ~/.config/fish/completions/liaison.fish",
      "liaison completion bash -- orgs list --kind ''     # what the script asks",
    ],
    faults: (call) => faultsOf(() => nameOf(call)),
    async run(call) {
      const { stdout, operands } = call;
      const shell = await shellOf(call);
      const [, ...words] = operands;
      if (words.length === 0) {
        await put(stdout, shell.generateScript("liaison", ["completion", shell.name, "--"]));
        return 0;
      }
      const found = await candidates(words, sources());
      await put(stdout, [...shell.encodeSuggestions(found)].join(""));
      return 0;
    },
  };
}

function nameOf({ operand }: Pick<Call, "operand">): (typeof shells)[number] {
  const name = shells.find((one) => one === operand);
  if (name === undefined) throw usageError("Name a shell: bash, zsh or fish.");
  return name;
}

async function shellOf(call: Call): Promise<ShellCompletion> {
  return (await import("@optique/core/completion"))[nameOf(call)];
}

/** What the last of the words may become. */
async function candidates(words: readonly string[], sources: Sources): Promise<Suggestion[]> {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const isHelp = before[0] === "help";
  const [first, ...rest] = isHelp ? before.slice(1) : before;
  if (first === undefined) return literals(firstWords(sources), current);
  const commands = await namedBy(first, sources);
  const command = commands.find(({ name }) => name === first || name === `${first} ${rest[0]}`);
  if (command !== undefined && isHelp) return [];
  if (command !== undefined) return ofCommand(command, rest.slice(command.name === first ? 0 : 1), current);
  const next = commands.filter(({ name }) => name.startsWith(`${first} `) && rest.length === 0);
  return literals(new Map(next.map(({ name, summary }) => [name.slice(first.length + 1), summary])), current);
}

/** The first words of all commands; of those that would have to be loaded nothing more is said. */
function firstWords(sources: Sources): Map<string, string> {
  const words = sources.flatMap((one): [string, string][] =>
    "load" in one ? one.words.map((word) => [word, ""]) : [[one.name, one.summary]],
  );
  return new Map(words);
}

async function namedBy(word: string, sources: Sources): Promise<Command[]> {
  const named = sources.map(async (one) => {
    if (!("load" in one)) return [one];
    return one.words.includes(word) ? await one.load() : [];
  });
  return (await Promise.all(named)).flat();
}

/** A flag, the value of one, or the operand. @param typed what stands between the command and `current` */
function ofCommand(command: Command, typed: readonly string[], current: string): Suggestion[] {
  const { flags, operand = "" } = command;
  if (typed.includes("--")) return ofValue(operand, current);
  const used = new Set<string>();
  let awaiting: Flag | undefined;
  for (const word of typed) {
    const name =
      awaiting === undefined && word.startsWith("--") ? (word.slice(2).split("=", 1)[0] ?? "") : "";
    awaiting = word.includes("=") || flags[name]?.takes === undefined ? undefined : flags[name];
    used.add(name);
  }
  if (awaiting !== undefined) return ofValue(awaiting.takes, current);
  const [, name = "", joint] = /^--([^=]+)(=)/.exec(current) ?? [];
  if (joint !== undefined) return ofValue(flags[name]?.takes, current, `--${name}=`);
  if (!current.startsWith("-") && (operand.includes("FILE") || operand.includes("|"))) {
    return ofValue(operand, current);
  }
  const unused = Object.entries(flags).filter(([one]) => !used.has(one));
  const all = [...unused.map(([one, { summary }]) => [`--${one}`, summary] as const), help];
  return literals(new Map(all), current);
}

const help = ["--help", "Say this."] as const;

/** What a flag or an operand takes: one of several words, a file or a folder. Else nothing is known. */
function ofValue(takes = "", current: string, prefix = ""): Suggestion[] {
  const [what = ""] = takes.replace(/^\[/, "").split(/[\]. ]/, 1);
  if (what.includes("|")) {
    return literals(new Map(what.split("|").map((one) => [`${prefix}${one}`, ""])), current);
  }
  if (what !== "FILE" && what !== "DIR") return [];
  return [{ kind: "file", type: what === "DIR" ? "directory" : "any", pattern: current, prefix }];
}

function literals(all: ReadonlyMap<string, string>, current: string): Suggestion[] {
  const found = [...all].filter(([text]) => text.startsWith(current));
  return found.map(([text, summary]) => ({
    kind: "literal",
    text,
    description: [{ type: "text", text: summary }],
  }));
}
