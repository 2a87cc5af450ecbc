/** Lists: a page, or all of them to the end. */

import { z } from "zod";
import type { Definition, Typed } from "../../admin/definitions/definition.ts";
import type { ListOf } from "../../admin/definitions/fields.ts";
import { LiaisonError } from "../../errors.ts";
import type { Call, ExitCode, Flag } from "../command.ts";
import { type JsonObject, jsonLine, printable, put, widthOf } from "../output.ts";
import { createProgress, type Progress } from "../progress.ts";
import { table } from "../table.ts";
import { rowOf } from "./columns.ts";
import type { Target } from "./targets.ts";

/** How many a page has where all are asked for: the most that one may. */
const largestPage = 200;

/** An operation that gives a list of whatever records. */
export type ListDefinition = Definition<z.ZodObject, ListOf<z.ZodObject>>;

/** Whether an operation gives a list: its columns then take what its list holds. */
export function isList(definition: object & Pick<Definition, "output">): definition is ListDefinition {
  const { output } = definition;
  return output instanceof z.ZodObject && "items" in output.shape && "next_cursor" in output.shape;
}

/** Flags of lists that have pages. */
export function listFlags({ input }: Pick<Definition, "input">): Record<string, Flag> {
  return "cursor" in input.shape ? { all: { summary: "Follow the list to its end." } } : {};
}

/** Calls a list's operation page by page, to its end. @throws LiaisonError when `signal` asks to stop */
export async function* pagesOf<Input extends z.ZodObject, Item extends z.ZodType>(
  definition: Definition<Input, ListOf<Item>>,
  input: Typed<Input>,
  { target, signal }: { target: Target; signal: AbortSignal },
): AsyncGenerator<z.output<ListOf<Item>>> {
  let { cursor }: { cursor?: unknown } = input;
  do {
    if (signal.aborted) throw new LiaisonError("store_unavailable", "Stopped before the end of the list.");
    const { output } = await target.call(
      definition,
      typeof cursor === "string" ? { ...input, cursor } : input,
    );
    cursor = output.next_cursor;
    yield output;
  } while (cursor !== null);
}

/** A progress line for lists: how many so far. */
export function countProgress(stream: Call["stderr"]): Progress {
  return createProgress({ stream, totalBytes: undefined, elapsed: () => performance.now() });
}

/** Prints a list: as a table, or a JSON object a line. */
export async function list(
  definition: ListDefinition,
  typed: JsonObject,
  { call, target }: { call: Call; target: Target },
): Promise<ExitCode> {
  const { flags, stdout, stderr, signal } = call;
  const columns = definition.command?.columns ?? {};
  const isAll = flags.has("all");
  const isJson = flags.has("json");
  const input = isAll && typed["limit"] === undefined ? { ...typed, limit: largestPage } : typed;
  const rows: Record<string, string | number>[] = [];
  const bar = isAll && !isJson ? countProgress(stderr) : undefined;
  let next: string | null = null;
  try {
    for await (const { items, next_cursor } of pagesOf(definition, input, { target, signal })) {
      next = next_cursor;
      if (isJson) await put(stdout, items.map(jsonLine).join(""));
      else rows.push(...items.map((item) => rowOf(columns, item)));
      bar?.show({ rows: rows.length, bytes: 0 });
      if (!isAll) break;
    }
  } finally {
    bar?.clear();
  }
  if (!isJson)
    await put(
      stdout,
      table(rows, { timeZone: target.timeZone, empty: "Nothing found.", width: widthOf(stdout) }),
    );
  if (next !== null)
    await put(stderr, `There is more: --cursor '${printable(next)}', or --all for the rest.\n`);
  return 0;
}
