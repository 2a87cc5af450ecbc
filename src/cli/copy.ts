/**
 * `liaison copy`: moves everything from a SQLite file into a MongoDB database. The moving itself is
 * storage/copy's.
 */

import type { Clock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import { type CopyProgress, copyStore } from "../storage/copy.ts";
import { placeName } from "../storage/open.ts";
import { type Call, type Command, type ExitCode, faultsOf, usageError } from "./command.ts";
import { createProgress } from "./progress.ts";

/** Makes the command. */
export function copyCommand(clock: Clock): Command {
  return {
    name: "copy",
    summary: "Copy everything from a SQLite file into an empty MongoDB database, with the brokers stopped.",
    flags: {
      from: {
        takes: "FILE",
        summary: "The SQLite file. It is left as it is, and refused if a broker writes to it meanwhile.",
      },
      to: {
        takes: "URL",
        summary: "Where to: a connection string. Default: storage.mongodb.url of the configuration",
      },
      database: {
        takes: "NAME",
        summary: "The database there. Default: storage.mongodb.database, or liaison",
      },
      config: {
        takes: "FILE",
        summary: "A YAML file, or a folder of them, with the encryption_key. Default: config",
      },
      json: { summary: "Print one JSON object: { from, to, complete, counts }." },
    },
    examples: [
      "liaison copy --from data/liaison.db --to 'mongodb://mongo1,mongo2,mongo3/?replicaSet=liaison'",
      "liaison copy --from data/liaison.db --config /etc/liaison --json",
    ],
    faults: (call) => faultsOf(() => fileOf(call)),
    run: async (call) => await copy(call, clock),
  };
}

async function copy(call: Call, clock: Clock): Promise<ExitCode> {
  const { flags, stdout, stderr, signal } = call;
  const file = fileOf(call);
  const { config } = await loadConfig({ file: flags.get("config") ?? "config" });
  const configured = config.storage.mongodb;
  const url = flags.get("to") ?? configured?.url;
  if (url === undefined)
    throw usageError("Name the replica set: --to URL, or storage.mongodb in the configuration.");
  const to = { url, database: flags.get("database") ?? configured?.database ?? "liaison" };
  const place = placeName({ mongodb: to });
  const { encryption_key: encryptionKey } = config;
  const isJson = flags.has("json");
  if (!isJson) stderr.write(`Copying ${file} to ${place} …\n`);

  const bar = isJson ? undefined : progressOn(call);
  const onProgress = (progress: CopyProgress) => bar?.(progress);
  const report = await copyStore({
    from: { file },
    to,
    encryptionKey,
    now: clock.now(),
    signal,
    onProgress,
  });
  if (isJson) stdout.write(`${JSON.stringify({ from: file, to: place, ...report })}\n`);
  else
    stdout.write(
      report.complete ? describe(report.counts) : "Stopped. Run it again: it goes on where it was.\n",
    );
  return report.complete ? 0 : 1;
}

function fileOf({ flags }: Pick<Call, "flags">): string {
  const file = flags.get("from");
  if (file === undefined) throw usageError("Name the SQLite file: --from FILE.");
  return file;
}

/** One bar for copying and one for comparing. */
function progressOn({ stderr }: Call): (progress: CopyProgress) => void {
  let phase: CopyProgress["phase"] | undefined;
  let bar: ReturnType<typeof createProgress> | undefined;
  return (progress) => {
    if (progress.phase !== phase) {
      bar?.clear();
      phase = progress.phase;
      stderr.write(phase === "copying" ? "copying\n" : "comparing\n");
      bar = createProgress({ stream: stderr, totalBytes: progress.total, elapsed: () => performance.now() });
    }
    bar?.show({ rows: progress.done, bytes: progress.done });
    if (progress.done === progress.total) bar?.clear();
  };
}

function describe(counts: Record<string, number>): string {
  const rows = Object.entries(counts).map(([kind, count]) => `${String(count).padStart(9)}  ${kind}\n`);
  return (
    `${rows.join("")}Copied and compared: every record is there. Now set storage.mongodb in the ` +
    "configuration.\n"
  );
}
