/**
 * What a command prints of an answer, and what it says besides: of most operations the record, of some in
 * words of their own.
 */

import type { z } from "zod";
import type { Definition } from "../../admin/definitions/definition.ts";
import { operations } from "../../admin/definitions/operations.ts";
import type { Answer } from "../../admin/operation.ts";
import type { JsonObject } from "../output.ts";
import { details, verdicts } from "./details.ts";
import { settingsText } from "./settings.ts";
import type { Target } from "./targets.ts";

const { administrators, apiKeys, clients, sessions, simulation } = operations;

/** Something about the answers of one operation. */
interface OfAnswers<Result> {
  definition: Definition;
  read(output: never): Result;
}

/** Has `read` agree with the output of the operation whose answers it takes. */
function of<Input extends z.ZodObject, Output extends z.ZodObject, Result>(
  definition: Definition<Input, Output>,
  read: (output: z.output<Output>) => Result,
): OfAnswers<Result> {
  return { definition, read };
}

/** What the entry of an operation makes of its answer; undefined where it has none. */
function readBy<Result>(all: readonly OfAnswers<Result>[], definition: Definition, output: JsonObject) {
  const entry = all.find((one) => one.definition === definition);
  // An entry's function takes the output of the definition beside it.
  return entry?.read(output as never);
}

/**
 * An answer as people read it.
 * @param wanted.recipe the one recipe that was asked for
 */
export function textOf(
  definition: Definition,
  { output, revision }: Answer<JsonObject>,
  { timeZone, recipe }: { timeZone: string; recipe: string | undefined },
): string {
  const withSettings = (record: JsonObject, settings: Parameters<typeof settingsText>[0]) =>
    `${details(record, timeZone)}\n${settingsText(settings, recipe)}`;
  const texts = [
    of(simulation.run, verdicts),
    of(sessions.endAll, ({ ended }) => `${ended} ended.\n`),
    of(clients.settings, (settings) => settingsText(settings, recipe)),
    of(clients.create, ({ settings, ...made }) =>
      withSettings({ ...made, ...(revision && { revision }) }, settings),
    ),
    of(clients.rotateSecret, ({ settings, ...rotated }) => withSettings(rotated, settings)),
  ];
  const text = readBy(texts, definition, output);
  if (text !== undefined) return text;
  const record = { ...output, ...(revision === undefined ? {} : { revision }) };
  return Object.keys(record).length === 0
    ? `${definition.command?.done ?? "Done."}\n`
    : details(record, timeZone);
}

/** What a person should know besides the record. */
export function remarksOf(
  definition: Definition,
  output: JsonObject,
  { issuer }: Pick<Target, "issuer">,
): string[] {
  const secretOnce = "The secret won't be shown again: keep it where it belongs now.";
  const remarks = [
    of(administrators.invite, ({ email }) => [
      `${email} signs in at ${issuer}/admin. The mail that says so leaves when the service runs.`,
    ]),
    of(clients.create, ({ client_secret }) => (client_secret === null ? [] : [secretOnce])),
    of(clients.rotateSecret, () => [secretOnce]),
    of(apiKeys.create, () => ["The key won't be shown again: keep it where it belongs now."]),
  ];
  return readBy(remarks, definition, output) ?? [];
}

/**
 * Whether a portal lets none of the profiles in that were asked about; one that nobody has linked yet is no
 * refusal.
 */
export function isRefused(definition: Definition, output: JsonObject): boolean {
  const refused = of(simulation.run, ({ outcome, profiles }) => {
    const admitsNone = profiles.length > 0 && !profiles.some(({ admitted }) => admitted);
    return outcome === "not_admitted" || (outcome === "unlinked" && admitsNone);
  });
  return readBy([refused], definition, output) ?? false;
}
