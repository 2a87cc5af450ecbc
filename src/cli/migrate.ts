/** `liaison migrate`: brings the database to this version's schema. The steps are each back end's. */

import type { Clock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import { migrateStore, placeName } from "../storage/open.ts";
import type { Command } from "./command.ts";

/** Makes the command. */
export function migrateCommand(clock: Clock): Command {
  return {
    name: "migrate",
    summary:
      "Bring the database to this version's schema; brokers of the version before may go on meanwhile.",
    flags: {
      config: { takes: "FILE", summary: "A YAML file, or a folder of them. Default: config" },
      json: { summary: "Print one JSON object: { database, from, to, applied: [{ version, name }] }." },
    },
    examples: ["liaison migrate", "liaison migrate --config /etc/liaison --json"],
    async run({ flags, stdout, stderr }) {
      const { config } = await loadConfig({ file: flags.get("config") ?? "config" });
      const database = placeName(config.storage);
      if (!flags.has("json")) stderr.write(`Migrating ${database} …\n`);
      const report = await migrateStore({ ...config.storage, encryptionKey: config.encryption_key, clock });
      if (flags.has("json")) {
        stdout.write(`${JSON.stringify({ database, ...report })}\n`);
        return 0;
      }
      for (const { version, name } of report.applied) stdout.write(`${version}: ${name}\n`);
      stdout.write(
        report.from === report.to ? `Up to date (schema ${report.to}).\n` : `Done (schema ${report.to}).\n`,
      );
      return 0;
    },
  };
}
