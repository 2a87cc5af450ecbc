/**
 * The commands of the administration: one for each operation that has words. What they do is the operations'.
 */

import type { Definition } from "../../admin/definitions/definition.ts";
import { definitions, operations, readingOf } from "../../admin/definitions/operations.ts";
import type { Answer } from "../../admin/operation.ts";
import type { CallOptions } from "../../admin/service.ts";
import type { Clock } from "../../clock.ts";
import { LiaisonError } from "../../errors.ts";
import { type Call, type Command, type ExitCode, type Flag, faultsOf, usageError } from "../command.ts";
import { type JsonObject, jsonLine, printable, put } from "../output.ts";
import { complete, type Draft, draftFaults, operandName, readDraft } from "./draft.ts";
import { explained } from "./failures.ts";
import { fieldFlags, fieldsOf } from "./fields.ts";
import { isList, list, listFlags } from "./lists.ts";
import { isRefused, remarksOf, textOf } from "./printed.ts";
import { isRemote, type Target, targetFlags, withTarget } from "./targets.ts";

/** Makes the commands. */
export function administrationCommands(clock: Clock): Command[] {
  return definitions.flatMap((definition) => {
    const { command, summary } = definition;
    if (command === undefined) return [];
    const { name, operand, examples } = command;
    const isNeeded = fieldsOf(definition).find((field) => field.name === operand)?.isRequired === true;
    const shown =
      operand === undefined ? undefined : isNeeded ? operandName(operand) : `[${operandName(operand)}]`;
    const made: Command = {
      name,
      summary,
      section: "Administration",
      ...(shown === undefined ? {} : { operand: shown }),
      ...(definition === operations.simulation.run ? { exits: "3 the portal refuses the person" } : {}),
      flags: {
        ...fieldFlags(definition),
        ...ownFlags(definition),
        ...targetFlags,
        json: jsonFlag(definition),
      },
      examples: [
        ...examples,
        `${shortest(examples)} --url https://signin.contoso.example --token-file token`,
      ],
      faults: (call) => [
        ...draftFaults(definition, call),
        ...faultsOf(
          () => readKey(call),
          () => isRemote(call),
        ),
      ],
      run: (call) => run(definition, call, clock),
    };
    return [made];
  });
}

function shortest([first = "", ...others]: readonly string[]): string {
  return others.reduce((best, one) => (one.length < best.length ? one : best), first);
}

function jsonFlag(definition: Definition): Flag {
  if (isList(definition)) return { summary: "Print one JSON object a line." };
  const hasRevision = definition.kind !== undefined || definition.hasRevision === true;
  return { summary: `Print one JSON object${hasRevision ? ", its revision within" : ""}.` };
}

function ownFlags(definition: Definition): Record<string, Flag> {
  const { kind } = definition;
  const creating = "Yours to choose: the same call under the same key is carried out once, within a day.";
  const editing = "Edit it only if it is as it was then, as shown with it. Default: as it is now";
  return {
    ...(isList(definition) ? listFlags(definition) : {}),
    ...(kind === "creates" ? { "idempotency-key": { takes: "KEY", summary: creating } } : {}),
    ...(kind === "edits" ? { "if-match": { takes: "REVISION", summary: editing } } : {}),
  };
}

async function run(definition: Definition, call: Call, clock: Clock): Promise<ExitCode> {
  const draft = readDraft(definition, call);
  const idempotencyKey = readKey(call);
  const word = definition.command?.name.split(" ")[0] ?? "";
  return await withTarget(call, { clock, word, creates: definition.kind === "creates" }, async (target) => {
    try {
      if (isList(definition)) return await list(definition, draft.input, { call, target });
      const answer = await carryOut(definition, draft, target, {
        ifMatch: call.flags.get("if-match"),
        idempotencyKey,
      });
      return await show(definition, answer, { call, target });
    } catch (error) {
      throw explained(error, definition);
    }
  });
}

function readKey({ flags }: Pick<Call, "flags">): string | undefined {
  const key = flags.get("idempotency-key");
  if (key === undefined || /^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw usageError("--idempotency-key takes 1 to 200 visible ASCII characters.");
}

async function carryOut(
  definition: Definition,
  draft: Draft,
  target: Target,
  options: CallOptions,
): Promise<Answer<JsonObject>> {
  const isEdit = definition.kind === "edits";
  const read = isEdit && (options.ifMatch === undefined || draft.parts.size > 0);
  const before = read ? await readFirst(definition, draft, target) : undefined;
  const input = complete(draft, before?.output);
  return await target.call(definition, input, { ...options, ifMatch: options.ifMatch ?? before?.revision });
}

/** The record that an edit is of, as it is. */
async function readFirst(
  definition: Definition,
  { input }: Draft,
  target: Target,
): Promise<Answer<JsonObject>> {
  try {
    return await target.call(readingOf(definition), { id: input["id"] });
  } catch (error) {
    if (!(error instanceof LiaisonError) || error.code !== "forbidden") throw error;
    const fix =
      "An edit reads the record first; --if-match REVISION edits without, if no single value of a plan " +
      "or policy is named.";
    throw LiaisonError.forbidden(`${error.message} ${fix}`, error);
  }
}

/** Prints what came of it, and says how it ended. */
async function show(
  definition: Definition,
  answer: Answer<JsonObject>,
  { call, target }: { call: Call; target: Target },
): Promise<ExitCode> {
  const { stdout, stderr, flags } = call;
  const { output, revision } = answer;
  const isJson = flags.has("json");
  if (isJson) await put(stdout, jsonLine({ ...output, ...(revision === undefined ? {} : { revision }) }));
  else await put(stdout, textOf(definition, answer, { timeZone: target.timeZone, recipe: flags.get("for") }));
  for (const remark of remarksOf(definition, output, target)) {
    await put(isJson ? stderr : stdout, `${printable(remark)}\n`);
  }
  return isRefused(definition, output) ? 3 : 0;
}
