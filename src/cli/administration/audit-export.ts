/** `liaison audit export`: the audit as a file, for keeping or for a spreadsheet. */

import { type FileHandle, open } from "node:fs/promises";
import { AUDIT_CSV_HEADER, auditCsvLine } from "../../admin/csv-out.ts";
import type { OutputOf } from "../../admin/definitions/definition.ts";
import { operations } from "../../admin/definitions/operations.ts";
import type { Clock } from "../../clock.ts";
import { type Call, type Command, type ExitCode, faultsOf, usageError } from "../command.ts";
import { type JsonObject, jsonLine, put } from "../output.ts";
import { draftFaults, readDraft } from "./draft.ts";
import { explained } from "./failures.ts";
import { fieldFlags } from "./fields.ts";
import { countProgress, pagesOf } from "./lists.ts";
import { isRemote, type Target, targetFlags, withTarget } from "./targets.ts";

const listing = operations.audit.list;
type AuditEvent = OutputOf<typeof listing>["items"][number];

interface Format {
  header: string;
  line(event: AuditEvent): string;
}

const formats: ReadonlyMap<string, Format> = new Map([
  ["jsonl", { header: "", line: jsonLine }],
  ["csv", { header: AUDIT_CSV_HEADER, line: auditCsvLine }],
]);

const pageSize = 200;

/** Makes the command. */
export function auditExportCommand(clock: Clock): Command {
  const { cursor: _cursor, limit: _limit, ...filters } = fieldFlags(listing);
  return {
    name: "audit export",
    section: "Administration",
    summary: "Write the audit, newest first, as JSON lines or as CSV whose cells are no formulas.",
    flags: {
      format: { takes: "jsonl|csv", summary: "Default: jsonl" },
      output: {
        takes: "FILE",
        summary: "Where to; a file that is there is replaced. Default: standard output",
      },
      ...filters,
      ...targetFlags,
    },
    examples: [
      "liaison audit export --output audit.jsonl",
      "liaison audit export --format csv --from 2027-01-01T00:00:00Z --to 2027-02-01T00:00:00Z > january.csv",
      "liaison audit export --actor command:admin --url https://signin.contoso.example --token-file token",
    ],
    faults: (call) => [
      ...draftFaults(listing, call),
      ...faultsOf(
        () => formatOf(call),
        () => isRemote(call),
      ),
    ],
    async run(call) {
      const format = formatOf(call);
      const { input } = readDraft(listing, call);
      return await withTarget(call, { clock, word: "audit", creates: false }, async (target) => {
        try {
          return await write(format, input, { call, target });
        } catch (error) {
          throw explained(error, listing);
        }
      });
    },
  };
}

function formatOf({ flags }: Pick<Call, "flags">): Format {
  const format = formats.get(flags.get("format") ?? "jsonl");
  if (format === undefined) throw usageError(`--format takes jsonl or csv, not "${flags.get("format")}".`);
  return format;
}

async function write(
  format: Format,
  input: JsonObject,
  { call, target }: { call: Call; target: Target },
): Promise<ExitCode> {
  const { flags, stdout, stderr, signal } = call;
  const path = flags.get("output");
  const file = path === undefined ? undefined : await create(path);
  const bar = file === undefined ? undefined : countProgress(stderr);
  const say = async (text: string) => await (file === undefined ? put(stdout, text) : file.writeFile(text));
  let count = 0;
  try {
    await say(format.header);
    for await (const { items } of pagesOf(listing, { ...input, limit: pageSize }, { target, signal })) {
      await say(items.map(format.line).join(""));
      count += items.length;
      bar?.show({ rows: count, bytes: 0 });
    }
    await file?.sync();
  } finally {
    bar?.clear();
    await file?.close();
  }
  if (file !== undefined) stderr.write(`${count} ${count === 1 ? "event" : "events"} written to ${path}\n`);
  return 0;
}

/** What the audit says is for few eyes. */
async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, "w", 0o600);
  } catch (error) {
    throw usageError(`--output ${path} can't be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}
