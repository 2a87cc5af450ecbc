/** The operations in the words of the page that developers read. */

import type { ApiOperation } from "../../ui/console/api-page.ts";
import type { Definition } from "../definitions/definition.ts";
import { hasBody, pathFields } from "./openapi.ts";
import { inputSchema, type JsonSchema, typeOf } from "./texts.ts";

export function describeApi(operations: readonly Definition[]): ApiOperation[] {
  return operations.map((operation) => {
    const { name, method, path, summary, scope, kind } = operation;
    const schema = inputSchema(operation);
    const inPath = pathFields(operation);
    const fields: ApiOperation["fields"] = Object.entries(schema.properties ?? {}).map(([field, of]) => ({
      name: field,
      type: describeType(of),
      where: inPath.includes(field) ? "path" : hasBody(operation) ? "body" : "query",
      required: schema.required?.includes(field) ?? false,
      description: of.description ?? "",
    }));
    const header = (header: string, required: boolean) => ({
      name: header,
      type: "string",
      where: "header" as const,
      required,
      description: "",
    });
    if (kind === "edits") fields.push(header("If-Match", true));
    if (kind === "creates") fields.push(header("Idempotency-Key", false));
    return { name, method, path, summary, scope, fields };
  });
}

function describeType(schema: JsonSchema): string {
  const choices = schema.enum ?? schema.items?.enum;
  const { type, items, nullable } = typeOf(schema);
  const base = items === undefined ? type : `list of ${items}s`;
  return `${base}${choices === undefined ? "" : ` (${choices.join(", ")})`}${nullable ? " or null" : ""}`;
}
