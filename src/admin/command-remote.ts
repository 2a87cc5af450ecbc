/**
 * Operations carried out by a broker elsewhere, over its REST API: the same answers and the same errors as on
 * the store itself.
 */

import type { z } from "zod";
import type { Milliseconds } from "../clock.ts";
import { isEncryptedOrLocal } from "../domain/loopback.ts";
import { type ErrorCode, LiaisonError } from "../errors.ts";
import type { Definition, OutputOf, Typed } from "./definitions/definition.ts";
import { type Answer, EditConflict, type FieldFault, InputError } from "./operation.ts";
import { API_PATH } from "./rest/api-path.ts";
import { hasBody, pathFields } from "./rest/openapi.ts";
import type { CallOptions } from "./service.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Carries operations out, wherever they run. Throws what AdminService throws. */
export interface AdminCaller {
  call<Input extends z.ZodObject, Output extends z.ZodObject>(
    definition: Definition<Input, Output>,
    input: Typed<Input>,
    options?: CallOptions,
  ): Promise<Answer<z.output<Output>>>;
}

const timeoutMs: Milliseconds = 30_000;

/**
 * Reads the address of a broker: its issuer.
 * @throws LiaisonError `usage` for what is none, and where others could read the token on its way
 */
export function brokerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const refuse = (problem: string) => LiaisonError.usage(`--url ${problem}`);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw refuse("takes the broker's issuer, such as https://signin.contoso.example.");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw refuse("takes the broker's issuer alone: without a name, a query or a fragment.");
  }
  if (!isEncryptedOrLocal(url)) {
    throw refuse(
      "takes an https:// address: over http:// the token could be read on its way to another machine.",
    );
  }
  return url.href.replace(/\/+$/, "");
}

export interface RemoteCallerDependencies {
  /** As `brokerUrl` gives it. */
  url: string;
  token: string;
  /** Where the token was read. */
  tokenSource: string;
  signal: AbortSignal;
}

/**
 * Calls a broker. No call takes longer than 30 seconds, and none follows a redirect: it would carry the token
 * elsewhere.
 */
export function createRemoteCaller(dependencies: RemoteCallerDependencies): AdminCaller {
  return {
    async call(definition, input, { ifMatch, idempotencyKey } = {}) {
      const request = {
        ...requestOf(definition, input),
        method: definition.method,
        redirect: "manual" as const,
        signal: AbortSignal.any([dependencies.signal, AbortSignal.timeout(timeoutMs)]),
      };
      const headers = {
        authorization: `Bearer ${dependencies.token}`,
        accept: "application/json",
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        ...(ifMatch === undefined ? {} : { "if-match": ifMatchText(ifMatch) }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      };
      const { path, body, ...rest } = request;
      const init = { ...rest, headers, ...(body === undefined ? {} : { body }) };
      const { response, text } = await send(`${dependencies.url}${API_PATH}${path}`, init, dependencies);
      // What a broker of another version gives beside or without it, is shown as it is.
      return readAnswer(response, text, dependencies) as Answer<OutputOf<typeof definition>>;
    },
  };
}

function ifMatchText(meant: NonNullable<CallOptions["ifMatch"]>): string {
  return meant === "*"
    ? meant
    : [meant]
        .flat()
        .map((tag) => `"${tag}"`)
        .join(", ");
}

function requestOf(definition: Definition, input: JsonObject): { path: string; body: string | undefined } {
  const inPath = pathFields(definition);
  const path = definition.path.replace(/\{(\w+)\}/g, (_, field: string) =>
    segmentOf(field, String(input[field])),
  );
  const rest = Object.entries(input).filter(
    ([field, value]) => !inPath.includes(field) && value !== undefined,
  );
  if (hasBody(definition)) return { path, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = new URLSearchParams(
    rest.map(([field, value]): [string, string] => [field, String(value)]),
  ).toString();
  return { path: query === "" ? path : `${path}?${query}`, body: undefined };
}

/** @throws InputError for what would lead to another address */
function segmentOf(field: string, value: string): string {
  if (value === "." || value === "..")
    throw new InputError([{ field, problem: "can't be part of an address" }]);
  return encodeURIComponent(value);
}

async function send(
  address: string,
  init: RequestInit,
  { url, signal }: RemoteCallerDependencies,
): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(address, init);
    return { response, text: await response.text() };
  } catch (cause) {
    if (signal.aborted) throw LiaisonError.storeUnavailable("Stopped before the broker answered.", cause);
    throw LiaisonError.storeUnavailable(whyUnreachable(cause, url), cause);
  }
}

function whyUnreachable(error: unknown, url: string): string {
  if ((error as Error).name === "TimeoutError")
    return `${url} didn't answer within ${timeoutMs / 1000} seconds.`;
  const cause = (error as Error).cause as { code?: unknown; message?: string } | undefined;
  const code = String(cause?.code ?? cause?.message ?? (error as Error).message);
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ISSUER/.test(code)) {
    return (
      `The certificate of ${url} isn't trusted here (${code}). NODE_EXTRA_CA_CERTS=FILE names another ` +
      "authority."
    );
  }
  return `${url} can't be reached (${code}). Is this the broker's issuer, and is the service running?`;
}

function readAnswer(
  response: Response,
  text: string,
  dependencies: RemoteCallerDependencies,
): Answer<unknown> {
  const { status, headers } = response;
  const content = parse(text);
  const isJson = /^application\/(problem\+)?json\b/.test(headers.get("content-type") ?? "");
  if (status >= 300 && status < 400) {
    const place = headers.get("location") ?? "elsewhere";
    throw LiaisonError.storeUnavailable(
      `${dependencies.url} redirects to ${place}. Give --url the issuer itself.`,
    );
  }
  if (!isJson || content === undefined) {
    const problem = `answers (${status}), but not as an administration does. Is this the broker's issuer?`;
    throw LiaisonError.storeUnavailable(`${dependencies.url} ${problem}`);
  }
  const revision = /^(?:W\/)?"([^"]*)"$/.exec(headers.get("etag") ?? "")?.[1];
  if (!response.ok) throw problemOf(status, content, revision, dependencies);
  return { output: content, ...(revision === undefined ? {} : { revision }) };
}

const codes: Record<number, ErrorCode> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  412: "precondition_failed",
  422: "unprocessable",
  428: "precondition_required",
  429: "too_many_requests",
};

/** The error that a problem (RFC 9457) was made of. */
function problemOf(
  status: number,
  problem: JsonObject,
  revision: string | undefined,
  dependencies: RemoteCallerDependencies,
): LiaisonError {
  const { detail, errors, current, differences } = problem;
  const code = codes[status] ?? "store_unavailable";
  const message = typeof detail === "string" ? detail : `The broker answered ${status}.`;
  if (code === "unauthorized") {
    const fix =
      "It may have expired or been removed, or be another broker's. A new API key: liaison keys create";
    return LiaisonError.of(
      code,
      `${dependencies.url} doesn't know the token of ${dependencies.tokenSource}. ${fix}`,
    );
  }
  if (code === "forbidden") {
    return LiaisonError.of(
      code,
      `${message} The token of ${dependencies.tokenSource} lacks it; a key with it: liaison keys create`,
    );
  }
  if (code === "bad_request" && Array.isArray(errors)) return new InputError(errors as FieldFault[]);
  if (code === "precondition_failed" && Array.isArray(differences)) {
    const wanted = (differences as { field: string; yours: unknown }[]).map(({ field, yours }) => [
      field,
      yours,
    ]);
    const answer = { output: current, ...(revision === undefined ? {} : { revision }) };
    return new EditConflict(answer, Object.fromEntries(wanted) as Record<string, unknown>);
  }
  if (status < 500) return LiaisonError.of(code, message);
  const id = typeof problem["request_id"] === "string" ? ` Its log has it as ${problem["request_id"]}.` : "";
  return LiaisonError.of(code, `The broker failed (${status}): ${message}${id}`);
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
