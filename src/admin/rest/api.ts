/**
 * The REST API: one route for each operation, problems for what goes wrong (RFC 9457), and the document that
 * says so.
 */

import { STATUS_CODES } from "node:http";
import type Router from "@koa/router";
import type { Context } from "koa";
import type { Logger } from "pino";
import { LiaisonError } from "../../errors.ts";
import { statusFor } from "../../http/errors.ts";
import type { Definition } from "../definitions/definition.ts";
import { definitions } from "../definitions/operations.ts";
import { EditConflict, InputError, statusOf } from "../operation.ts";
import type { Principal } from "../scopes.ts";
import { type AdminService, ANY_REVISION, type CallOptions } from "../service.ts";
import { API_PATH } from "./api-path.ts";
import { hasBody, openApi, pathFields } from "./openapi.ts";
import { fromText, inputSchema, typeOf } from "./texts.ts";

export interface ApiDependencies {
  service: AdminService;
  authenticate(authorization: string): Promise<Principal | undefined>;
  issuer: string;
  version: string;
  logger: Logger;
}

/** Largest body that is read, in bytes. */
const largestBody = 65_536;

export function apiRoutes(
  router: Router,
  { service, authenticate, issuer, version, logger }: ApiDependencies,
): void {
  const document = JSON.stringify(openApi(definitions, { issuer, version }));

  router.get(`${API_PATH}/openapi.json`, (ctx) => {
    ctx.type = "json";
    ctx.body = document;
  });

  async function serve(ctx: Context, operation: Definition): Promise<void> {
    const principal = await authenticate(ctx.get("authorization"));
    if (principal === undefined) {
      ctx.set("www-authenticate", 'Bearer realm="administration"');
      throw new LiaisonError(
        "unauthorized",
        "Send an API key, or a machine's token, as Authorization: Bearer …",
      );
    }
    const input = hasBody(operation) ? await fromBody(ctx, operation) : fromQuery(ctx, operation);
    const { output, revision } = await service.call(operation, principal, input, {
      ifMatch: readEtags(ctx.get("if-match")),
      idempotencyKey: readKey(ctx.get("idempotency-key")),
    });
    ctx.status = statusOf(operation);
    if (revision !== undefined) ctx.set("etag", `"${revision}"`);
    ctx.type = "json";
    ctx.body = JSON.stringify(output);
  }

  for (const operation of definitions) {
    const path = API_PATH + operation.path.replace(/\{(\w+)\}/g, ":$1");
    router.register(path, [operation.method.toLowerCase()], async (ctx: Context) => {
      try {
        await serve(ctx, operation);
      } catch (error) {
        answerProblem(ctx, error, logger);
      }
    });
  }
}

/**
 * For every address of the API that is none, and every method that an address doesn't have. Installed behind
 * all routes.
 */
export function unknownApiRoutes(router: Router, logger: Logger): void {
  router.all([API_PATH, `${API_PATH}/{*rest}`], (ctx: Context) => {
    answerProblem(ctx, new LiaisonError("not_found", `There is no ${ctx.method} at this address.`), logger);
  });
}

function fromQuery(ctx: Context, operation: Definition): Record<string, unknown> {
  const { properties } = inputSchema(operation);
  const entries = Object.entries(ctx.query).map(([name, value]): [string, unknown] => {
    const schema = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    const values = [value ?? ""].flat();
    if (typeOf(schema).type === "array") return [name, values.flatMap((one) => one.split(","))];
    return [name, values.length === 1 ? fromText(schema, values[0] ?? "") : values];
  });
  return withPath(ctx, operation, Object.fromEntries(entries));
}

async function fromBody(ctx: Context, operation: Definition): Promise<Record<string, unknown>> {
  if (ctx.request.length !== 0 && !ctx.is("json") && ctx.is("*/*") !== null) ctx.throw(415, "Send JSON.");
  if (ctx.search !== "") {
    throw new InputError([{ field: "", problem: "say it in the body: this takes no query" }]);
  }
  const text = await readText(ctx);
  const body = text === "" ? {} : parseObject(text);
  return withPath(ctx, operation, body);
}

/** What the path names stands there alone. */
function withPath(
  ctx: Context,
  operation: Definition,
  input: Record<string, unknown>,
): Record<string, unknown> {
  const named = pathFields(operation);
  const twice = named.filter((field) => Object.hasOwn(input, field));
  if (twice.length > 0)
    throw new InputError(twice.map((field) => ({ field, problem: "stands in the path already" })));
  return { ...input, ...Object.fromEntries(named.map((field) => [field, String(ctx["params"][field])])) };
}

async function readText({ req, throw: refuse }: Context): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) refuse(413, `The body is larger than ${largestBody} bytes.`);
    chunks.push(chunk);
  }
  try {
    // Fatal: bytes that are no text would come to be stored as U+FFFD.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new LiaisonError("bad_request", "The body is no UTF-8.", { cause });
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text, (key, part: unknown) => {
      if (key === "__proto__") throw new SyntaxError("no such field");
      return part;
    });
  } catch (cause) {
    throw new LiaisonError("bad_request", "The body is no JSON.", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new LiaisonError("bad_request", "The body must be a JSON object.");
  }
  return value as Record<string, unknown>;
}

/**
 * Which revisions an edit may be of (RFC 9110, section 13.1.1): any (`*`), or one of a list. Weak tags match
 * nothing there, nor does what is no list of tags.
 */
function readEtags(header: string): CallOptions["ifMatch"] {
  if (header === "") return undefined;
  const text = header.trim();
  if (text === ANY_REVISION) return ANY_REVISION;
  if (!/^(?:(?:W\/)?"[^"\s]*"|[\s,])+$/.test(text)) return "";
  const strong = [...text.matchAll(/(W\/)?"([^"]*)"/g)].filter(([, weak]) => weak === undefined);
  const [only = "", ...more] = strong.map(([, , tag = ""]) => tag);
  return more.length === 0 ? only : [only, ...more];
}

function readKey(header: string): string | undefined {
  if (header === "") return undefined;
  if (header.length > 200)
    throw new InputError([{ field: "Idempotency-Key", problem: "use at most 200 characters" }]);
  return header;
}

/** One log line and one problem, whatever went wrong. */
function answerProblem(ctx: Context, error: unknown, logger: Logger): void {
  const status = statusFor(error);
  const isKnown = error instanceof LiaisonError;
  const code = isKnown ? error.code : status >= 500 ? "server_error" : "bad_request";
  const requestId = String(ctx.state["requestId"] ?? "");
  const fields = { request_id: requestId, status, code };
  if (status >= 500) logger.error({ ...fields, err: error }, "request failed");
  else logger.info({ ...fields, reason: String((error as Error).message) }, "request refused");
  const detail =
    isKnown || status < 500 ? (error as Error).message : "It's a fault of ours, and it has been recorded.";
  ctx.status = status;
  if (status === 503) ctx.set("retry-after", "5");
  ctx.body = JSON.stringify({
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail,
    code,
    request_id: requestId,
    ...(error instanceof InputError ? { errors: error.faults } : {}),
    ...(error instanceof EditConflict
      ? { current: error.current.output, differences: error.differences }
      : {}),
  });
  ctx.type = "application/problem+json";
  if (error instanceof EditConflict && error.current.revision !== undefined) {
    ctx.set("etag", `"${error.current.revision}"`);
  }
}
