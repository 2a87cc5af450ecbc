/**
 * Query operators and names that objects inherit, put into every place where an operation of the
 * administration takes something.
 */

import assert from "node:assert/strict";
import type { AdminFixture } from "./admin-fixture.ts";
import { type About, requests } from "./admin-requests.ts";

interface Field {
  type?: string;
  properties?: Record<string, Field>;
  items?: Field;
  anyOf?: Field[];
}

interface Described {
  operationId: string;
  parameters: { name: string; in: "path" | "query" | "header" }[];
  requestBody?: { content: Record<string, { schema: Field }> };
}

export interface ApiOperation extends Described {
  method: string;
  path: string;
}

/** Every operation that the served document describes. */
export async function describedOperations({ nobody }: AdminFixture): Promise<ApiOperation[]> {
  const { paths } = await nobody.get<{ paths: Record<string, Record<string, Described>> }>("/openapi.json");
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({
      ...described,
      method: method.toUpperCase(),
      path,
    })),
  );
}

export interface Sent {
  what: string;
  method: string;
  path: string;
  body?: string;
  headers?: Record<string, string> | undefined;
}

const operators = [
  '{"$gt":""}',
  '{"$ne":null}',
  '{"$where":"sleep(9000)"}',
  '{"__proto__":{"scopes":["admins:write"]}}',
];
const names = ["$where", "$gt", "__proto__", "constructor", "prototype", "toString"];

/** Where in a body something stands: as a path of names, an item of a list as 0. */
type Place = readonly (string | number)[];

function placesOf(field: Field, at: Place = []): { values: Place[]; objects: Place[] } {
  const here = [field, ...(field.anyOf ?? [])];
  const found = here.flatMap(({ properties = {}, items }) => [
    ...Object.entries(properties).map(([name, one]) => placesOf(one, [...at, name])),
    ...(items === undefined ? [] : [placesOf(items, [...at, 0])]),
  ]);
  const isObject = here.some(({ type, properties }) => type === "object" || properties !== undefined);
  return {
    values: [at, ...found.flatMap(({ values }) => values)].filter((place) => place.length > 0),
    objects: [...(isObject ? [at] : []), ...found.flatMap(({ objects }) => objects)],
  };
}

/** Good values of the objects that bodies hold. */
const whole: Record<string, object> = {
  plan: { status: "none", expires_at: null },
  access_policy: { kinds: ["customer"], plan_required: false, roles: [] },
};

/** The JSON of a body in which `json` stands at a place; where that is an object's, with `name` in it. */
function bodyWith(body: object, place: Place, json: string, name?: string): string {
  const marker = "put it here";
  const copy = structuredClone(body) as Record<string, unknown>;
  const full = name === undefined ? place : [...place, marker];
  let holder = copy;
  for (const [index, step] of full.slice(0, -1).entries()) {
    holder[step] ??=
      whole[String(step)] === undefined
        ? typeof full[index + 1] === "number"
          ? []
          : {}
        : structuredClone(whole[String(step)]);
    holder = holder[step] as Record<string, unknown>;
  }
  holder[full.at(-1) ?? assert.fail()] = marker;
  const text = JSON.stringify(copy);
  return name === undefined
    ? text.replace(`"${marker}"`, () => json)
    : text.replace(`"${marker}":"${marker}"`, () => `${JSON.stringify(name)}:${json}`);
}

/** Requests that are right but for one place each. */
export async function operatorRequests(
  fixture: AdminFixture,
  operation: ApiOperation,
  about: About,
): Promise<Sent[]> {
  const { operationId, method, parameters, requestBody } = operation;
  const prepared =
    (await requests[operationId]?.(fixture, about)) ?? assert.fail(`no request of ${operationId}`);
  const { id = "", query = "", headers, body } = prepared;
  const path = operation.path.replace("{id}", encodeURIComponent(id));
  const base = { method, headers };
  const sent: Sent[] = [];
  const schema = requestBody?.content["application/json"]?.schema;
  if (schema === undefined) {
    const join = query === "" ? "?" : "&";
    const pairs = [
      ...names.map((name) => `${encodeURIComponent(name)}=1`),
      ...parameters
        .filter((one) => one.in === "query")
        .flatMap(({ name }) => [`${name}[$gt]=`, `${name}[]=1`, `${name}=1&${name}=1`, `${name}.$where=1`]),
    ];
    sent.push(...pairs.map((pair) => ({ ...base, what: pair, path: `${path}${query}${join}${pair}` })));
    return sent;
  }
  assert.equal(typeof body, "object");
  const { values, objects } = placesOf(schema);
  const put = (what: string, text: string) =>
    sent.push({ ...base, what: `${what}: ${text}`, path, body: text });
  for (const place of values)
    for (const json of operators) put(place.join("."), bodyWith(body as object, place, json));
  for (const place of objects)
    for (const name of names) put(place.join("."), bodyWith(body as object, place, '{"$gt":""}', name));
  for (const json of operators) put("", json);
  return sent;
}
