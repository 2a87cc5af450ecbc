/** From argv to a command. The only module that ends the process. */

import type { BackgroundThreadData } from "./background/thread.ts";
import { commandGroups } from "./cli/groups.ts";
import { run } from "./cli/run.ts";
import { systemClock } from "./clock.ts";

const commands = commandGroups({
  serve: async () => ({
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
    createLogger: (await import("./logger.ts")).createLogger,
  }),
  runDemo: async (options) => (await import("./demo/run.ts")).runDemo(options),
  clock: systemClock,
  stdin: () => process.stdin,
});

/**
 * The first signal asks to stop, a second one ends the process at once. One Ctrl-C may arrive twice, from the
 * terminal and from whatever started us: what follows within this many milliseconds is the same.
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
