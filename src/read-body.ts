/** Reads the body of a request or of a response, up to a limit: the one place where bytes are collected. */

import type { Readable } from "node:stream";
import getRawBody, { getRawBodyWeb } from "raw-body";

/** A body that is longer than is read. As Koa's errors: 413, with a message that may be shown. */
export class BodyTooLarge extends Error {
  readonly status = 413;
  readonly expose = true;
  /** The rest of it isn't read, so nothing behind it on the connection would be. */
  readonly headers = { connection: "close" };

  constructor(largest: number, options?: ErrorOptions) {
    super(`The body is larger than ${largest} bytes.`, options);
    this.name = "BodyTooLarge";
  }
}

/** Whoever sent it went away before it was whole: no fault of ours. As Koa's errors: 400. */
class BodyAborted extends Error {
  readonly status = 400;
  readonly expose = true;

  constructor() {
    super("The body didn't come to its end.");
    this.name = "BodyAborted";
  }
}

/**
 * All bytes of a request, or of another stream that is read whole. Where it throws, the rest stays unread and
 * the stream open, so that the request can be answered.
 *
 * @param largest bytes
 * @param announced bytes that it is said to have (Content-Length): more than `largest` are refused at once
 * @throws BodyTooLarge, and an error of status 400 where whoever sends it goes away
 */
export async function readBody(source: Readable, largest: number, announced?: string): Promise<Buffer> {
  if (source.destroyed) throw new BodyAborted();
  return await getRawBody(source, { limit: largest, length: announced ?? null }).catch((error: unknown) => {
    throw ownError(error, largest);
  });
}

/**
 * All bytes of a response of `fetch`. Where it throws, its transfer is ended.
 *
 * @param largest bytes, of what it comes to when it is unpacked
 * @throws BodyTooLarge, and what ended the transfer
 */
export async function readResponse(body: ReadableStream<Uint8Array>, largest: number): Promise<Buffer> {
  return await getRawBodyWeb(body, { limit: largest }).catch(async (error: unknown) => {
    // Of a transfer that failed there is nothing to end.
    await body.cancel().catch(() => {});
    throw ownError(error, largest);
  });
}

function ownError(error: unknown, largest: number): unknown {
  const isTooLarge = (error as { type?: unknown }).type === "entity.too.large";
  return isTooLarge ? new BodyTooLarge(largest, { cause: error }) : error;
}
