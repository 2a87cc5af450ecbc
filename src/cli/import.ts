/** `liaison import`: organizations and profiles from a CSV file. The rules are admin/import's. */

import { createReadStream, existsSync } from "node:fs";
import { access, constants, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { type ImportSummary, importDirectory } from "../admin/import/import.ts";
import { createCollector } from "../admin/import/memory.ts";
import type { Clock } from "../clock.ts";
import { mailDomain } from "../config/derived.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { openStore } from "../storage/open.ts";
import { type Call, type Command, faultsOf, usageError } from "./command.ts";
import { jsonReport, textReport } from "./import-report.ts";
import { createProgress } from "./progress.ts";

type Store = Awaited<ReturnType<typeof openStore>>;

/** Makes the command. `stdin` is called when the operand is `-`. */
export function importCommand({ clock, stdin }: { clock: Clock; stdin(): Readable }): Command {
  return {
    name: "import",
    summary: "Import organizations and profiles from a CSV file, or from standard input (-).",
    operand: "FILE.csv",
    flags: {
      config: { takes: "FILE", summary: "A YAML file, or a folder of them. Default: config" },
      "dry-run": { summary: "Say what would be added and changed, field by field; write nothing." },
      json: { summary: "Print one JSON object instead of text." },
    },
    examples: [
      "liaison import customers.csv --config config --dry-run",
      "liaison import customers.csv --config /etc/liaison",
      "crm-export | liaison import - --json",
    ],
    faults: (call) => faultsOf(() => fileOf(call)),
    async run(call) {
      const { flags } = call;
      const operand = fileOf(call);
      const totalBytes = operand === "-" ? undefined : await sizeOf(operand);
      const { config } = await loadConfig({ file: flags.get("config") ?? "config" });
      const source = operand === "-" ? stdin() : createReadStream(operand);
      const summary = await withStore(config, clock, flags.has("dry-run"), (store) =>
        importFrom(addAbortSignal(call.signal, source), { call, operand, totalBytes, config, clock, store }),
      );
      return summary.badRows > 0 || summary.stopped !== null ? 1 : 0;
    },
  };
}

function fileOf({ operand }: Pick<Call, "operand">): string {
  if (operand === undefined) throw usageError("Name a CSV file, or - for standard input.");
  return operand;
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw usageError(`${file} is a folder. Name a CSV file.`);
    await access(file, constants.R_OK);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) throw error;
    throw usageError(
      error.code === "ENOENT" ? `${file} doesn't exist.` : `${file} can't be read (${error.code}).`,
    );
  }
}

/** Opens the store. A dry run makes no database: where there is none yet, it compares with an empty one. */
async function withStore<T>(
  { storage, encryption_key: encryptionKey }: Config,
  clock: Clock,
  dryRun: boolean,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const isNew = storage.sqlite !== undefined && !existsSync(storage.sqlite.file);
  const folder = dryRun && isNew ? await mkdtemp(join(tmpdir(), "liaison-import-")) : null;
  try {
    const place = folder === null ? storage : { sqlite: { file: join(folder, "empty.db") } };
    const store = await openStore({ ...place, encryptionKey, clock });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}

interface Import {
  call: Call;
  operand: string;
  totalBytes: number | undefined;
  config: Config;
  clock: Clock;
  store: Store;
}

async function importFrom(
  source: Readable,
  { call, operand, totalBytes, config, clock, store }: Import,
): Promise<ImportSummary> {
  const { stdout, stderr, flags, signal } = call;
  const dryRun = flags.has("dry-run");
  const isJson = flags.has("json");
  const report = isJson ? jsonReport(stdout, operand, dryRun) : textReport(stdout, stderr, dryRun);
  const bar = isJson
    ? undefined
    : createProgress({ stream: stderr, totalBytes, elapsed: () => performance.now() });
  const collectGarbage = createCollector();
  const parts = {
    store,
    clock,
    timeZone: config.deployment.time_zone,
    actor: "command:import",
    mailDomain: mailDomain(config),
  };
  try {
    const summary = await importDirectory(parts, {
      source,
      dryRun,
      signal,
      async onRow(row) {
        bar?.clear();
        await report.row(row);
      },
      onProgress(done) {
        bar?.show(done);
        collectGarbage(done.rows);
      },
    });
    bar?.clear();
    await report.end(summary);
    return summary;
  } catch (error) {
    bar?.clear();
    throw error;
  }
}
