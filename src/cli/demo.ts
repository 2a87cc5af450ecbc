/** `liaison demo`: the whole journey on this machine, with an upstream, portals and an inbox of its own. */

import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { type Command, usageError } from "./command.ts";

/** Starts the demo; resolves when `signal` was aborted and everything has stopped. */
export type RunDemo = (options: {
  /** The broker's port; the others follow it. */
  portBase: number;
  dataDir: string;
  /** Forget what an earlier run left in `dataDir`. */
  fresh: boolean;
  /** Print one JSON line instead of text. */
  json: boolean;
  stdout: Writable;
  signal: AbortSignal;
}) => Promise<void>;

/** Makes the command around the demo. */
export function demoCommand(runDemo: RunDemo): Command {
  return {
    name: "demo",
    summary: "Run the whole journey on this machine: broker, upstream, two portals and a mail inbox.",
    flags: {
      "port-base": { takes: "N", summary: "The first port; the others follow it. Default: 4400" },
      data: { takes: "DIR", summary: "Where its data lives. Default: data/demo" },
      fresh: { summary: "Start over: forget an earlier run's data." },
      json: { summary: "Print one JSON line when ready, for scripts." },
    },
    examples: [
      "liaison demo",
      "liaison demo --fresh --port-base 5400",
      "liaison demo --json --data /tmp/liaison-demo",
    ],
    async run({ flags, stdout, signal }) {
      await runDemo({
        portBase: portOf(flags.get("port-base") ?? "4400"),
        dataDir: resolve(flags.get("data") ?? "data/demo"),
        fresh: flags.has("fresh"),
        json: flags.has("json"),
        stdout,
        signal,
      }).catch(missing);
      return 0;
    },
  };
}

/** Images and installations without development dependencies lack the demo, or what it is made of. */
function missing(error: unknown): never {
  const { code } = error as { code?: unknown };
  if (code !== "ERR_MODULE_NOT_FOUND") throw error;
  throw usageError(
    "The demo isn't part of this installation. Run it from a checkout: npm ci, then npm run demo.",
  );
}

/** Which numbers there are, the demo says. */
function portOf(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}
