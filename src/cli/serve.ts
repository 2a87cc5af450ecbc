/** `liaison serve`: runs the service until it is asked to stop. */

import type { Logger } from "pino";
import type { Clock, Milliseconds } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { openStore, placeName } from "../storage/open.ts";
import type { Command } from "./command.ts";

type Store = Awaited<ReturnType<typeof openStore>>;

/** The running service, as its composition root makes it. */
export interface Service {
  /** Throws `port_taken`. */
  listen(): Promise<{ port: number }>;
  /**
   * Lets go of whoever is served, losing no request; takes `listen.drain_seconds` and 20 seconds at the most.
   */
  drain(): Promise<void>;
  /** Takes no more requests; resolves when those under way are answered and the workers have stopped. */
  close(): Promise<void>;
}

export interface ServeDependencies {
  createApp(parts: { config: Config; store: Store; clock: Clock; logger: Logger }): Promise<Service>;
  createLogger(options: Config["log"]): Logger;
  clock: Clock;
}

/** How long requests and mails under way may take to end, in milliseconds. */
const endingMs: Milliseconds = 22_000;

/**
 * Makes the command. It stops within `listen.drain_seconds` and 22 seconds of being asked to, whatever is
 * under way.
 */
export function serveCommand({ createApp, createLogger, clock }: ServeDependencies): Command {
  return {
    name: "serve",
    summary: "Run the service until SIGTERM or SIGINT; a second signal ends it at once.",
    flags: { config: { takes: "FILE", summary: "A YAML file, or a folder of them. Default: config" } },
    examples: [
      "liaison serve",
      "liaison serve --config /etc/liaison",
      "LIAISON_LOG__LEVEL=debug liaison serve --config liaison.yaml",
    ],
    async run({ flags, signal }) {
      const { config, warnings } = await loadConfig({ file: flags.get("config") ?? "config" });
      const logger = createLogger(config.log);
      reportCrash(logger);
      for (const { key, source, problem } of warnings)
        logger.warn({ key, source }, `configuration: ${key} ${problem}`);

      const store = await openStore({ ...config.storage, encryptionKey: config.encryption_key, clock });
      try {
        const service = await createApp({ config, store, clock, logger });
        try {
          const { port } = await service.listen();
          const { issuer, listen, storage } = config;
          logger.info({ issuer, host: listen.host, port, database: placeName(storage) }, "listening");
          await untilAborted(signal);
          logger.info("stopping");
          const longestMs: Milliseconds = listen.drain_seconds * 1000 + endingMs;
          const ended = service.drain().then(() => service.close());
          if (!(await endsWithin(ended, longestMs))) {
            logger.warn({ seconds: longestMs / 1000 }, "stopped with requests or mails still under way");
          }
        } catch (error) {
          await endsWithin(service.close(), endingMs);
          throw error;
        }
      } finally {
        await store.close();
      }
      logger.info("stopped");
      return 0;
    },
  };
}

/**
 * One line for what nobody caught, and then Node's own way: the stack on standard error, and exit code 1 at
 * once. Nothing is put in order on that way, for nobody knows what is left standing: what was claimed is
 * taken up again when its lease is over.
 */
function reportCrash(logger: Pick<Logger, "fatal">): void {
  process.on("uncaughtExceptionMonitor", (err, origin) =>
    logger.fatal({ err, origin }, "stopped by a fault"),
  );
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function endsWithin(work: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
