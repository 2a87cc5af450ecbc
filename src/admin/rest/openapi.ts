/** The OpenAPI 3.1 document of the REST API, made of the operations' definitions. */

import { z } from "zod";
import type { Definition } from "../definitions/definition.ts";
import { statusOf } from "../operation.ts";
import { SCOPES } from "../scopes.ts";
import { API_PATH } from "./api-path.ts";
import { inputSchema, type JsonSchema } from "./texts.ts";

const problemStatuses = {
  400: "The request isn't right: `errors` names every field.",
  401: "Nobody is known by this token.",
  403: "The token's scopes don't cover this.",
  404: "There is no such record.",
  409: "It can't be done as things are.",
  412: "Somebody else changed it: `current` is how it is now, `differences` what you wanted otherwise.",
  413: "The body is too large.",
  415: "The body is no JSON.",
  422: "The Idempotency-Key was used for another request.",
  428: "An edit needs If-Match.",
  503: "The database can't be reached: try again.",
} as const;

const problem: JsonSchema = {
  type: "object",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "Stable: programs may rely on it." },
    request_id: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "problem"],
        properties: { field: { type: "string" }, problem: { type: "string" } },
      },
    },
    current: {},
    differences: {
      type: "array",
      items: { type: "object", properties: { field: { type: "string" }, yours: {}, current: {} } },
    },
  },
};

/** The fields of an operation's path. */
export function pathFields({ path }: Pick<Definition, "path">): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
}

export const hasBody = ({ method }: Pick<Definition, "method">) => method !== "GET" && method !== "DELETE";

/** Makes the document. @param version of the service */
export function openApi(
  operations: readonly Definition[],
  { issuer, version }: { issuer: string; version: string },
) {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const methods = paths[operation.path] ?? {};
    methods[operation.method.toLowerCase()] = describe(operation);
    paths[operation.path] = methods;
  }
  return {
    openapi: "3.1.0",
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    info: {
      title: "Liaison administration",
      version,
      description:
        "Client apps, organizations, profiles, links, sessions, mails, keys and the audit. Call it with " +
        "an API key, or with a token of a machine client app (client_credentials).",
    },
    servers: [{ url: `${issuer}${API_PATH}` }],
    security: [{ apiKey: [] }, { machine: [] }],
    paths,
    components: {
      schemas: { Problem: problem },
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "An API key, which begins with liaison_." },
        machine: {
          type: "oauth2",
          flows: { clientCredentials: { tokenUrl: `${issuer}/token`, scopes: { ...SCOPES } } },
        },
      },
    },
  };
}

function describe(operation: Definition): object {
  const schema = inputSchema(operation);
  const inPath = pathFields(operation);
  const properties = Object.entries(schema.properties ?? {});
  const required = new Set(schema.required ?? []);
  const parameter = (name: string, where: "path" | "query", { description, ...of }: JsonSchema) => ({
    name,
    in: where,
    required: where === "path" || required.has(name),
    schema: of,
    ...(description === undefined ? {} : { description }),
  });
  const parameters: object[] = properties
    .filter(([name]) => inPath.includes(name) || !hasBody(operation))
    .map(([name, of]) => parameter(name, inPath.includes(name) ? "path" : "query", of));
  if (operation.kind === "edits") {
    const description =
      "The ETag that the record was read with, or several of which one is to match; * for any.";
    parameters.push({
      name: "If-Match",
      in: "header",
      required: true,
      schema: { type: "string" },
      description,
    });
  }
  if (operation.kind === "creates") {
    const description =
      "Yours to choose: the same request under the same key is carried out once, within a day.";
    const of = { type: "string", minLength: 1, maxLength: 200 };
    parameters.push({ name: "Idempotency-Key", in: "header", required: false, schema: of, description });
  }
  const body = properties.filter(([name]) => !inPath.includes(name));
  return {
    operationId: operation.name,
    summary: operation.summary,
    tags: [operation.path.split("/")[1] ?? ""],
    security: [{ apiKey: [] }, { machine: [operation.scope] }],
    "x-scope": operation.scope,
    parameters,
    ...(hasBody(operation)
      ? {
          requestBody: {
            required: body.some(([name]) => required.has(name)),
            content: {
              "application/json": {
                schema: {
                  type: "object",
                  properties: Object.fromEntries(body),
                  required: [...required].filter((name) => !inPath.includes(name)),
                  additionalProperties: false,
                },
              },
            },
          },
        }
      : {}),
    responses: responses(operation),
  };
}

function responses(operation: Definition): object {
  const schema = z.toJSONSchema(operation.output, { io: "input" }) as JsonSchema;
  delete schema["$schema"];
  const etag = { description: "The record's revision, for If-Match.", schema: { type: "string" } };
  const hasRevision = operation.kind !== undefined || operation.hasRevision === true;
  const status = statusOf(operation);
  const problems = Object.entries(problemStatuses).map(([status, description]) => [
    status,
    {
      description,
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  ]);
  return {
    [status]: {
      description: status === 202 ? "Asked for: it is carried out behind this answer." : "Done.",
      ...(hasRevision ? { headers: { ETag: etag } } : {}),
      content: { "application/json": { schema } },
    },
    ...Object.fromEntries(problems),
  };
}
