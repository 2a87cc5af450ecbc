/**
 * The log: JSON lines. Whatever is logged passes through here and loses what could be used by whoever reads
 * logs: values under names such as token, code or cookie at any depth, and the same in the queries of
 * addresses inside texts.
 */

import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type LevelWithSilent,
  type Logger,
  pino,
} from "pino";
import { ERROR_CODES } from "./errors.ts";

const hidden = "[hidden]";
const secretName = new RegExp(
  "token|secret|password|passphrase|cookie|authorization$|assertion|code_?verifier" +
    "|(encryption|signing|private|api)_?key|^(code|state|nonce|jti|sid)$",
  "i",
);
const parameterNames =
  "[a-z_]*token|code|state|nonce|secret|client_secret|code_verifier|password|id_token_hint";
const secretParameter = new RegExp(`([?&#;]|\\b)((?:${parameterNames})=)[^&\\s"'#]+`, "gi");
const bearer = /\b(bearer|basic|dpop)\s+[\w.~+/=-]{8,}/gi;
/** With whatever a mail program has put behind or into the secret. */
const mailedLink = /(\/link\/[\w-]+\/)(?!(?:confirm|decline|result)\b)[^\s"'<?#]+/g;
const deepest = 6;
/** Our own error codes stand under the name that authorization codes have, too. */
const errorCodes: ReadonlySet<unknown> = new Set(ERROR_CODES);

/**
 * Makes the service's logger.
 * @param options.destination where lines go; standard output by default
 */
export function createLogger(options: { level: LevelWithSilent; destination?: DestinationStream }): Logger {
  const clean = (fields: object) => withoutSecrets(fields, 0) as Record<string, unknown>;
  const logger = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: clean },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args as unknown[];
          // pino would take the message of a bare error as it is.
          const error = first instanceof Error ? first : (first as { err?: unknown } | null)?.err;
          const fields = first instanceof Error ? { err: first } : first;
          const texts = rest.length === 0 && error instanceof Error ? [error.message] : rest;
          const scrubbed = [fields, ...texts].map((arg) => (typeof arg === "string" ? scrub(arg) : arg));
          method.apply(this, scrubbed as Parameters<typeof method>);
        },
      },
      // Errors were made plain by `clean`; pino's own serializer would add every property they carry.
      serializers: { err: (value) => value },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
  // What a child logger adds to every line passes through no formatter. The cast: pino's own type is generic
  // in custom levels.
  const makeChild = logger.child;
  logger.child = function child(this: Logger, bindings: Bindings, childOptions?: ChildLoggerOptions) {
    return Reflect.apply(makeChild, this, [clean(bindings), childOptions]) as Logger;
  } as unknown as typeof logger.child;
  return logger;
}

function withoutSecrets(value: unknown, depth: number): unknown {
  if (typeof value === "string") return scrub(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return plainError(value, depth);
  if (depth >= deepest) return "[deeper]";
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  if (value instanceof Date || value instanceof URL) return scrub(String(value));
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    const isSecret = secretName.test(name) && item !== null && !(name === "code" && errorCodes.has(item));
    return [name, isSecret ? hidden : withoutSecrets(item, depth + 1)];
  });
  return Object.fromEntries(entries);
}

/** Name, code, message, stack and causes: errors of libraries carry whole requests and responses besides. */
function plainError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    ...(code === undefined ? {} : { code: String(code) }),
    message: scrub(error.message),
    stack: scrub(error.stack ?? ""),
    ...(error.cause === undefined || depth >= deepest
      ? {}
      : { cause: withoutSecrets(error.cause, depth + 1) }),
  };
}

function scrub(text: string): string {
  return text
    .replace(secretParameter, `$1$2${hidden}`)
    .replace(bearer, `$1 ${hidden}`)
    .replace(mailedLink, `$1${hidden}`);
}
