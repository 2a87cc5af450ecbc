/**
 * Every command, loaded by the words that call it: what `version` says rests on nothing of what `serve` runs.
 */

import type { Readable } from "node:stream";
import type { Clock } from "../clock.ts";
import type { Command, CommandGroup } from "./command.ts";
import type { RunDemo } from "./demo.ts";
import { helpCommand } from "./help.ts";
import { run } from "./run.ts";
import type { ServeDependencies } from "./serve.ts";
import { versionCommand } from "./version.ts";

export interface CommandParts {
  /** What `serve` runs, made when it is called. */
  serve(): Promise<Omit<ServeDependencies, "clock">>;
  runDemo: RunDemo;
  clock: Clock;
  /** Called when a command reads it. */
  stdin(): Readable;
}

/** In the order in which they are listed. */
export function commandGroups({
  serve,
  runDemo,
  clock,
  stdin,
}: CommandParts): readonly (Command | CommandGroup)[] {
  const all: readonly (Command | CommandGroup)[] = [
    {
      words: ["serve"],
      load: async () => [(await import("./serve.ts")).serveCommand({ ...(await serve()), clock })],
    },
    { words: ["demo"], load: async () => [(await import("./demo.ts")).demoCommand(runDemo)] },
    { words: ["config"], load: async () => [(await import("./config-check.ts")).configCheckCommand] },
    { words: ["migrate"], load: async () => [(await import("./migrate.ts")).migrateCommand(clock)] },
    { words: ["copy"], load: async () => [(await import("./copy.ts")).copyCommand(clock)] },
    { words: ["import"], load: async () => [(await import("./import.ts")).importCommand({ clock, stdin })] },
    {
      words: [
        "clients",
        "orgs",
        "profiles",
        "admin",
        "accounts",
        "links",
        "sessions",
        "keys",
        "why",
        "upstreams",
        "audit",
      ],
      load: async () =>
        (await import("./administration/operation-commands.ts")).administrationCommands(clock),
    },
    {
      words: ["audit"],
      load: async () => [
        (await import("./administration/audit-verify.ts")).auditVerifyCommand(clock),
        (await import("./administration/audit-export.ts")).auditExportCommand(clock),
      ],
    },
    { words: ["links"], load: async () => (await import("./links.ts")).linksCommands(clock) },
    { words: ["mail"], load: async () => (await import("./mail.ts")).mailCommands({ clock, stdin }) },
    {
      words: ["completion"],
      load: async () => [(await import("./completion.ts")).completionCommand(() => all)],
    },
    helpCommand((words, call) => run(words, all, call)),
    versionCommand,
  ];
  return all;
}
