/** From argv to a command. The only module that ends the process. */

import type { BackgroundThreadData } from "./background/thread.ts";
import { auditExportCommand } from "./cli/administration/audit-export.ts";
import { auditVerifyCommand } from "./cli/administration/audit-verify.ts";
import { administrationCommands } from "./cli/administration/commands.ts";
import type { Command } from "./cli/command.ts";
import { configCheckCommand } from "./cli/config-check.ts";
import { copyCommand } from "./cli/copy.ts";
import { demoCommand } from "./cli/demo.ts";
import { helpCommand } from "./cli/help.ts";
import { importCommand } from "./cli/import.ts";
import { linksCommands } from "./cli/links.ts";
import { mailCommands } from "./cli/mail.ts";
import { migrateCommand } from "./cli/migrate.ts";
import { run } from "./cli/run.ts";
import { serveCommand } from "./cli/serve.ts";
import { versionCommand } from "./cli/version.ts";
import { systemClock } from "./clock.ts";
import { createLogger } from "./logger.ts";

const commands: readonly Command[] = [
  serveCommand({
    createApp: async (parts) => {
      const [{ createApp }, { createBackgroundThread }] = await Promise.all([
        import("./app.ts"),
        import("./background/thread.ts"),
      ]);
      const { config, logger } = parts;
      return await createApp({
        ...parts,
        background: createBackgroundThread({ data: { config } satisfies BackgroundThreadData, logger }),
      });
    },
    createLogger,
    clock: systemClock,
  }),
  demoCommand(async (options) => (await import("./demo/run.ts")).runDemo(options)),
  configCheckCommand,
  migrateCommand(systemClock),
  copyCommand(systemClock),
  importCommand({ clock: systemClock, stdin: () => process.stdin }),
  ...administrationCommands(systemClock),
  auditVerifyCommand(systemClock),
  auditExportCommand(systemClock),
  ...linksCommands(systemClock),
  ...mailCommands({ clock: systemClock, stdin: () => process.stdin }),
  helpCommand(() => commands),
  versionCommand,
];

/**
 * The first signal asks to stop, a second one ends the process at once. One Ctrl-C may arrive twice, from the terminal and
 * from whatever started us: what follows within this many milliseconds is the same.
 */
const sameSignalMs = 250;

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let askedAt: number | undefined;
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.on(name, () => {
      const now = performance.now();
      if (askedAt !== undefined && now - askedAt > sameSignalMs) process.exit(128 + number);
      askedAt ??= now;
      stop.abort();
    });
  }
  return stop.signal;
}

const { stdout, stderr } = process;
/** bin/liaison.js sets it where whoever runs the command looks at its exit code alone. */
const isUnheard = process.exitCode !== undefined;
for (const stream of isUnheard ? [stdout, stderr] : [stdout]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (isUnheard) return;
    // Whoever read our output has enough of it, as `head` has: that ends us as SIGPIPE would, without a word.
    process.exit(128 + 13);
  });
}
process.exit(await run(process.argv.slice(2), commands, { stdout, stderr, signal: stopSignal() }));
