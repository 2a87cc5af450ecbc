/**
 * Values that a JSON Schema allows, drawn by fast-check. What a schema can't say of them is left to whoever
 * asks.
 */

import fc from "fast-check";
import type { Schema } from "./admin-document.ts";

/** An arbitrary of values that the schema allows. @throws for a schema of which it wouldn't know how to */
export function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(valuesOf));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000 });
    case "array": {
      const { items = {}, minItems = 0, maxItems = 4 } = schema;
      return fc.array(valuesOf(items), {
        minLength: minItems,
        maxLength: Math.max(minItems, Math.min(maxItems, 4)),
      });
    }
    case "object": {
      const values = Object.entries(schema.properties ?? {}).map(
        ([name, of]) => [name, valuesOf(of)] as const,
      );
      return fc.record(Object.fromEntries(values), {
        requiredKeys: schema.required ?? [],
        noNullPrototype: true,
      });
    }
    case "string":
      return textsOf(schema);
    default:
      throw new Error(`no values of ${JSON.stringify(schema)}`);
  }
}

/** Letters, marks and signs that programs stumble over; none that a name may not hold. */
const alphabet = [
  ..."abcdefgXYZ0189 -_.,:;'\"<>&/\\$%{}()[]=+*?!#@`|~^",
  "ü",
  "ß",
  "İ",
  "å",
  "ø",
  "é",
  "漢",
  "字",
  "א",
  "‍",
  "🙂",
];

const visible = (maxLength: number) =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .array(fc.constantFrom(...alphabet), {
          minLength: 1,
          maxLength: Math.min(30, Math.floor(maxLength / 2)),
        })
        .map((parts) => parts.join("").trim() || "N"),
    },
    { weight: 1, arbitrary: fc.constant("x".repeat(maxLength)) },
  );

/** Anything at all that can be sent, control characters included. */
const anything = (minLength: number, maxLength: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[a-z0-9]{3,12}$/) },
    {
      weight: 3,
      arbitrary: fc.string({
        unit: "binary",
        minLength: Math.max(1, minLength),
        maxLength: Math.min(20, maxLength),
      }),
    },
    { weight: 1, arbitrary: fc.constant("y".repeat(maxLength)) },
  );

const addresses = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9][a-z0-9+_-]{0,15}$/),
    fc.constantFrom("northwind.example", "Contoso.example", "bücher.example"),
  )
  .map(([local, domain]) => `${local}@${domain}`);

const addressesOfWebPages = fc
  .tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^(\/[a-z0-9]{1,6}){1,2}$/), fc.nat(11))
  .map(([host, path, kind]) =>
    kind === 0
      ? `http://localhost:8080${path}`
      : kind === 1
        ? `custom.${host}:${path}`
        : `https://${host}.example${path}`,
  );

const instants = fc
  .tuple(
    fc.date({
      min: new Date("2001-01-01T00:00:00Z"),
      max: new Date("2099-12-31T00:00:00Z"),
      noInvalidDate: true,
    }),
    fc.constantFrom("Z", "+02:00", "-11:30"),
    fc.constantFrom(19, 23),
  )
  .map(([at, offset, length]) => at.toISOString().slice(0, length) + offset);

function textsOf(schema: Schema): fc.Arbitrary<string> {
  const { format, minLength = 0, maxLength = 200 } = schema;
  if (format === "date-time") return instants;
  if (format === "date") return instants.map((at) => at.slice(0, 10));
  if (format === "idn-email") return addresses;
  if (format === "uri") return addressesOfWebPages;
  if (format !== undefined) throw new Error(`no values of the format ${format}`);
  if (schema.allOf !== undefined) return visible(maxLength);
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
  return anything(minLength, maxLength);
}
