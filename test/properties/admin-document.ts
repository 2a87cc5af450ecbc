/** The OpenAPI document that the administration serves, as a judge of calls and of their answers. */

import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { RawResponse } from "./fuzz-client.ts";

export interface Schema {
  type?: string;
  anyOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
}

interface Described {
  operationId: string;
  parameters: { name: string; in: "path" | "query" | "header"; required: boolean; schema: Schema }[];
  requestBody?: { content: { "application/json": { schema: Schema } } };
  responses: Record<string, { headers?: object; content: Record<string, { schema: Schema }> }>;
}

interface Document {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema> };
}

/** One operation, with its inputs by where they stand. */
export interface ApiOperation {
  name: string;
  method: string;
  path: string;
  inPath: Schema & { properties: Record<string, Schema> };
  inQuery: Schema & { properties: Record<string, Schema> };
  inBody: (Schema & { properties: Record<string, Schema> }) | undefined;
  isConditional: boolean;
  heedsIdempotencyKey: boolean;
  /** Whether the document allows these inputs. */
  allows(where: "path" | "query" | "body", inputs: unknown): boolean;
  /** What of an answer isn't as the document says; empty if nothing. */
  faultsOf(answer: RawResponse): string[];
}

/**
 * Reads the document and lists its operations. @throws if it isn't valid OpenAPI, or none of JSON Schema
 * 2020-12
 */
export async function readDocument(apiUrl: string): Promise<ApiOperation[]> {
  const response = await fetch(`${apiUrl}/openapi.json`);
  if (response.status !== 200) throw new Error(`openapi.json: ${response.status}`);
  const document = (await response.json()) as Document;
  const { valid, errors } = await new Validator().validate(
    structuredClone(document) as unknown as Record<string, unknown>,
  );
  if (!valid) throw new Error(`the document is no OpenAPI: ${JSON.stringify(errors)}`);

  // Strict: a keyword or a format that this validator doesn't know is a fault of the document, not nothing.
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  formats.default(ajv);
  ajv.addFormat("idn-email", /^[^@\s]+@[^@\s]+$/u);
  ajv.addSchema({ $id: "urn:liaison:document", components: document.components } as object);
  ajv.addVocabulary(["components"]);
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operationOf(ajv, { path, method, described })),
  );
}

function operationOf(
  ajv: Ajv2020,
  { path, method, described }: { path: string; method: string; described: Described },
): ApiOperation {
  const { operationId, parameters, requestBody, responses } = described;
  const objectOf = (where: "path" | "query") => {
    const some = parameters.filter((one) => one.in === where);
    return {
      type: "object",
      properties: Object.fromEntries(some.map(({ name, schema }) => [name, schema])),
      required: some.filter(({ required }) => required).map(({ name }) => name),
      additionalProperties: false,
    };
  };
  const body = requestBody?.content["application/json"].schema;
  const inputs = {
    path: objectOf("path"),
    query: objectOf("query"),
    body: body ?? { type: "object", maxProperties: 0 },
  };
  const judges = {
    path: ajv.compile(inputs.path),
    query: ajv.compile(inputs.query),
    body: ajv.compile(inputs.body),
  };
  const answers = new Map<string, ValidateFunction>();
  for (const [status, { content }] of Object.entries(responses)) {
    for (const [type, { schema }] of Object.entries(content)) {
      answers.set(`${status} ${type}`, ajv.compile(withinDocument(schema) as object));
    }
  }
  return {
    name: operationId,
    method: method.toUpperCase(),
    path,
    inPath: inputs.path,
    inQuery: inputs.query,
    inBody: body === undefined ? undefined : { ...body, properties: body.properties ?? {} },
    isConditional: parameters.some(({ name }) => name === "If-Match"),
    heedsIdempotencyKey: parameters.some(({ name }) => name === "Idempotency-Key"),
    allows: (where, values) => judges[where](values),
    faultsOf: (answer) => answerFaults(answer, answers, responses),
  };
}

function answerFaults(
  { status, headers, body }: RawResponse,
  answers: ReadonlyMap<string, ValidateFunction>,
  responses: Described["responses"],
): string[] {
  if (responses[status] === undefined) return [`the document has no answer ${status}`];
  const type = (headers.get("content-type") ?? "none").replace(/;\s*charset=utf-8$/i, "");
  const judge = answers.get(`${status} ${type}`);
  if (judge === undefined) return [`the document has no ${type} for ${status}`];
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return ["the body is no JSON"];
  }
  const faults = judge(value)
    ? []
    : (judge.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  if (headers.has("etag") && status < 300 && responses[status].headers === undefined)
    faults.push("an ETag from nowhere");
  if (headers.get("cache-control") !== "no-store") faults.push("it may be stored by caches");
  if (status >= 400 && (value as { status?: unknown }).status !== status)
    faults.push("the problem tells another status");
  if (status === 401 && !headers.has("www-authenticate")) faults.push("401 without WWW-Authenticate");
  return faults;
}

/** The schema with its references into the document it was taken from. */
function withinDocument(schema: Schema): Schema {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"urn:liaison:document#/');
  return JSON.parse(text) as Schema;
}
