/** What makes a call of the administration one that its document doesn't allow: each breaks one thing. */

import type { Call, Draw } from "./admin-calls.ts";
import type { Schema } from "./admin-document.ts";
import type { RawRequest } from "./fuzz-client.ts";

export interface Break {
  name: string;
  /** How it is refused. */
  statuses: readonly number[];
  /** Breaks a call, or its request; undefined where there is nothing to break. */
  apply(call: Call, draw: Draw, wire: (call: Call) => RawRequest): RawRequest | undefined;
}

type Fields = Record<string, Schema>;

/** The schema of a text among the alternatives of a field. */
const textOf = (schema: Schema): Schema | undefined =>
  [schema, ...(schema.anyOf ?? [])].find(({ type }) => type === "string");
const pickOf = <T>(values: readonly T[], draw: Draw): T | undefined =>
  values[draw(Math.max(1, values.length))];

const operators = [
  { $gt: "" },
  { $ne: null },
  { $where: "sleep(1000) || true" },
  { $regex: ".*" },
  { $in: [""] },
];
const strangers: readonly unknown[] = [
  42,
  true,
  [],
  {},
  "text",
  null,
  [["x"]],
  { nested: { x: 1 } },
  -1,
  1.5,
  "",
  [null],
  1e300,
];
const unknownNames = [
  "$where",
  "unknown",
  "adminRole",
  "constructor",
  "toString",
  "$or",
  "managed_by",
  "a.b",
  "secret",
];

/** Breaks the body by giving one field another value, out of those that the document doesn't allow. */
function bodyValue(
  name: string,
  values: (schema: Schema, draw: Draw, before: unknown) => readonly unknown[],
): Break {
  return {
    name,
    statuses: [400],
    apply(call, draw, wire) {
      const fields = Object.entries((call.operation.inBody?.properties ?? {}) as Fields);
      const [first, second] = [draw(Math.max(1, fields.length)), draw(1000)];
      for (const [field, schema] of [...fields.slice(first), ...fields.slice(0, first)]) {
        const candidates = values(schema, draw, call.body?.[field]);
        const turned = [...candidates.slice(second % (candidates.length || 1)), ...candidates];
        for (const value of turned) {
          const body = { ...call.body, [field]: value };
          if (!call.operation.allows("body", body)) return wire({ ...call, body });
        }
      }
      return undefined;
    },
  };
}

/** Breaks the body as text. */
function bodyText(name: string, change: (text: string, draw: Draw) => string | Buffer): Break {
  return {
    name,
    statuses: [400],
    apply(call, draw, wire) {
      if (call.body === undefined) return undefined;
      const request = wire(call);
      return { ...request, body: Buffer.from(change(request.body.toString(), draw)) };
    },
  };
}

function query(name: string, values: (schema: Schema, draw: Draw) => readonly string[]): Break {
  return {
    name,
    statuses: [400],
    apply(call, draw, wire) {
      const fields = Object.entries(call.operation.inQuery.properties);
      const first = draw(Math.max(1, fields.length));
      for (const [field, schema] of [...fields.slice(first), ...fields.slice(0, first)]) {
        const value = pickOf(values(schema, draw), draw);
        if (value !== undefined) return wire({ ...call, query: { ...call.query, [field]: value } });
      }
      return undefined;
    },
  };
}

/** Adds to the query of an operation that has one or none. */
function moreQuery(name: string, more: (call: Call, draw: Draw) => string | undefined): Break {
  return {
    name,
    statuses: [400],
    apply(call, draw, wire) {
      const added = more(call, draw);
      const request = wire(call);
      if (added === undefined) return undefined;
      return { ...request, target: `${request.target}${request.target.includes("?") ? "&" : "?"}${added}` };
    },
  };
}

function header(
  name: string,
  statuses: number[],
  change: (call: Call, draw: Draw) => [string, string | undefined] | undefined,
): Break {
  return {
    name,
    statuses,
    apply(call, draw, wire) {
      const changed = change(call, draw);
      if (changed === undefined) return undefined;
      const request = wire(call);
      const [field, value] = changed;
      const others = request.headers.filter(([one]) => one !== field);
      return { ...request, headers: value === undefined ? others : [...others, [field, value]] };
    },
  };
}

/** An edit of nothing, which nothing else can be wrong with, under another tag. */
function ifMatch(name: string, statuses: number[], tag: (draw: Draw) => string | undefined): Break {
  return {
    name,
    statuses,
    apply(call, draw, wire) {
      if (!call.operation.isConditional) return undefined;
      const { "if-match": _right, ...others } = call.headers;
      const wrong = tag(draw);
      return wire({
        ...call,
        body: {},
        headers: wrong === undefined ? others : { ...others, "if-match": wrong },
      });
    },
  };
}

const insideName = (schema: Schema, before: unknown, put: readonly string[]) => {
  const restricted = [schema, ...(schema.anyOf ?? []), ...(schema.items === undefined ? [] : [schema.items])];
  if (!restricted.some(({ allOf, pattern, format }) => allOf ?? pattern ?? format)) return [];
  const text = typeof before === "string" && before !== "" ? before : "name";
  const spoilt = put.map((character) => `${text}${character}${text}`);
  return schema.type === "array" ? spoilt.map((one) => [one]) : spoilt;
};

const bodies: Break[] = [
  bodyValue("wrong type", () => strangers),
  bodyValue("operator object", () => operators),
  bodyValue("operator in a list", ({ type }) => (type === "array" ? operators.map((one) => [one]) : [])),
  bodyValue("too long", (schema) => {
    const { maxLength, pattern } = textOf(schema) ?? {};
    const most = maxLength ?? (pattern === undefined ? undefined : 2000);
    const list =
      schema.maxItems === undefined ? [] : [Array.from({ length: schema.maxItems + 1 }, () => "admin:read")];
    return most === undefined ? list : ["x".repeat(most + 1), `https://x.example/${"y".repeat(most)}`];
  }),
  bodyValue("empty", () => ["", [""], []]),
  bodyValue("no such value", (schema) =>
    JSON.stringify(schema).includes('"enum"') ? ["no-such", ["no-such"], "OWNER"] : [],
  ),
  bodyValue("control character", (schema, _draw, before) =>
    insideName(schema, before, ["\0", "\n", "\r\n", "\u001b[31m", "\u0085", "\u202e", "\u2066", "\u2028"]),
  ),
  bodyValue("half a character", (schema, _draw, before) => insideName(schema, before, ["\ud800", "\udfff"])),
  {
    name: "unknown field",
    statuses: [400],
    apply(call, draw, wire) {
      if (call.body === undefined) return undefined;
      const body = {
        ...call.body,
        [pickOf(unknownNames, draw) ?? "unknown"]: draw(2) === 0 ? "x" : { $gt: "" },
      };
      return wire({ ...call, body });
    },
  },
  {
    name: "missing field",
    statuses: [400],
    apply(call, draw, wire) {
      const field = pickOf(call.operation.inBody?.required ?? [], draw);
      if (field === undefined) return undefined;
      const { [field]: _missing, ...body } = call.body ?? {};
      return wire({ ...call, body });
    },
  },
  {
    name: "field of the path",
    statuses: [400],
    apply(call, draw, wire) {
      const field = pickOf(Object.keys(call.path), draw);
      if (field === undefined || call.body === undefined) return undefined;
      return wire({ ...call, body: { ...call.body, [field]: call.path[field] } });
    },
  },
  bodyText("__proto__", (text, draw) => {
    const more = pickOf(
      ['"__proto__":{"scopes":["admins:write"]}', '"__proto__":null', '"\\u005f_proto__":{"x":1}'],
      draw,
    );
    return text === "{}" ? `{${more}}` : `{${more},${text.slice(1)}`;
  }),
  bodyText("broken JSON", (text, draw) => {
    const wrong = [
      text.slice(0, -1),
      `${text},`,
      `${text}${text}`,
      text.replaceAll('"', "'").concat("'"),
      "{a:1}",
      "nope",
      "\ufeff{}",
    ];
    return pickOf([...wrong, '{"name":NaN}', "{,}", '{"name":"a"\u0000}', "[".repeat(5000)], draw) ?? "";
  }),
  bodyText(
    "no object",
    (text, draw) => pickOf([`[${text}]`, "[]", "null", "true", "1", '"{}"'], draw) ?? "null",
  ),
  bodyText("no UTF-8", (text) =>
    Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0xc3, 0x28]), Buffer.from("}")]),
  ),
  {
    name: "bytes within a name",
    statuses: [400],
    apply(call, _draw, wire) {
      if (!Object.hasOwn(call.body ?? {}, "name")) return undefined;
      const request = wire({ ...call, body: { ...call.body, name: "@@" } });
      return {
        ...request,
        body: Buffer.from(request.body.toString("latin1").replace("@@", "N\xff"), "latin1"),
      };
    },
  },
  {
    name: "too large",
    statuses: [413],
    apply(call, _draw, wire) {
      if (call.body === undefined) return undefined;
      return { ...wire(call), body: Buffer.from(`{"name":"${"x".repeat(70_000)}"}`) };
    },
  },
  header("wrong content type", [415], ({ body }, draw) =>
    body === undefined
      ? undefined
      : [
          "content-type",
          pickOf(
            [
              "text/plain",
              "application/x-www-form-urlencoded",
              "application/xml",
              "multipart/form-data; boundary=x",
            ],
            draw,
          ),
        ],
  ),
  moreQuery("query beside a body", ({ body }, draw) =>
    body === undefined ? undefined : pickOf(["x=1", "$where=1", "name=x", "__proto__=1"], draw),
  ),
];

const queries: Break[] = [
  moreQuery("unknown parameter", ({ body }, draw) =>
    body === undefined
      ? pickOf(["unknown=1", "$where=1", "__proto__=1", "constructor=1", "toString=", "%24or=x"], draw)
      : undefined,
  ),
  moreQuery("operator parameter", ({ operation }, draw) => {
    const field = pickOf(Object.keys(operation.inQuery.properties), draw);
    return field === undefined
      ? undefined
      : `${field}${pickOf(["[$gt]=", "[$ne]=1", "%5B%24gt%5D=", "[]=1", ".$gt="], draw)}`;
  }),
  moreQuery("parameter given twice", ({ operation, query: given }, draw) => {
    const field = pickOf(Object.keys(operation.inQuery.properties), draw);
    if (field === undefined) return undefined;
    const value = new URLSearchParams({ [field]: given[field] ?? "1" }).toString();
    return given[field] === undefined ? `${value}&${value}` : value;
  }),
  query("wrong type", (schema) => {
    if (schema.type === "integer") return ["abc", "1.5", "1e2", "0x10", "9".repeat(400), "NaN", "-", "+5"];
    if (schema.type === "boolean") return ["1", "yes", "TRUE", "null"];
    if (schema.format === "date-time")
      return ["yesterday", "2026-02-30T00:00:00Z", "2026-01-01", "1767225600", "2026-01-01T00:00:00"];
    return schema.enum === undefined ? [] : ["no-such", '{"$gt":""}', "Customer"];
  }),
  query("out of range", ({ minimum, maximum }) =>
    minimum === undefined || maximum === undefined
      ? []
      : [String(minimum - 1), String(maximum + 1), String(-(2 ** 53)), "999999999999999"],
  ),
  query("empty", ({ minLength, type }) => (type !== "string" || (minLength ?? 0) > 0 ? [""] : [])),
  query("too long", ({ maxLength }) => (maxLength === undefined ? [] : ["z".repeat(maxLength + 1)])),
  {
    name: "no cursor",
    statuses: [400],
    apply(call, draw, wire) {
      if (call.operation.inQuery.properties["cursor"] === undefined) return undefined;
      const places = [
        "null",
        "{}",
        "[]",
        '[{"$gt":""},""]',
        "[null,null]",
        '["","",""]',
        "[[],[]]",
        '[true,"x"]',
        "[1,2,3]",
      ];
      const encoded = places.map((one) => Buffer.from(one).toString("base64url"));
      const cursor = pickOf(
        [...encoded, "%", "null", "../../etc/passwd", "x".repeat(1000), "0", "' OR 1=1 --", "\0"],
        draw,
      );
      return wire({ ...call, query: { ...call.query, cursor: cursor ?? "" } });
    },
  },
  {
    name: "missing parameter",
    statuses: [400],
    apply(call, draw, wire) {
      const field = pickOf(call.operation.inQuery.required ?? [], draw);
      if (field === undefined) return undefined;
      const { [field]: _missing, ...others } = call.query;
      return wire({ ...call, query: others });
    },
  },
];

const anywhere: Break[] = [
  {
    name: "too long an id",
    statuses: [400],
    apply(call, draw, wire) {
      const field = pickOf(Object.keys(call.path), draw);
      return field === undefined
        ? undefined
        : wire({ ...call, path: { ...call.path, [field]: "i".repeat(129) } });
    },
  },
  {
    name: "broken escape in the path",
    statuses: [400, 404],
    apply(call, _draw, wire) {
      const [field] = Object.keys(call.path);
      if (field === undefined) return undefined;
      const request = wire({ ...call, path: { ...call.path, [field]: "@@" } });
      return { ...request, target: request.target.replace("%40%40", "%E0%A4%A") };
    },
  },
  ifMatch("no If-Match", [428], () => undefined),
  ifMatch("another If-Match", [404, 409, 412], (draw) =>
    pickOf(['"another"', 'W/"x"', "no tag", '""'], draw),
  ),
  header("too long a key", [400], ({ operation }) =>
    operation.heedsIdempotencyKey ? ["idempotency-key", "k".repeat(201)] : undefined,
  ),
  header("no token", [401], (_call, draw) => [
    "authorization",
    pickOf(
      [
        undefined,
        "Bearer",
        "Bearer x",
        `Bearer liaison_${"A".repeat(43)}`,
        `Basic ${btoa("admin:admin")}`,
        `Bearer ${"B".repeat(43)}`,
      ],
      draw,
    ),
  ]),
];

export const breaks: readonly Break[] = [...bodies, ...queries, ...anywhere];
