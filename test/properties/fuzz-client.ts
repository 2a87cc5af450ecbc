/**
 * An HTTP/1.1 client that sends exactly the bytes it is given over a connection kept alive: what no
 * well-behaved client would let out. One request at a time.
 */

import { connect, type Socket } from "node:net";

export interface RawRequest {
  method: string;
  target: string;
  headers: [string, string][];
  body: Buffer;
  /** Whether a server must answer it; otherwise it may as well hang up. */
  wellFormed: boolean;
}

export interface RawResponse {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** `dropped`: the connection was closed without an answer. `hung`: there was none in time. */
export type RawOutcome = RawResponse | "dropped" | "hung";

/**
 * The bytes of a request. The length of its body is always told truly, or the server would rightly wait for
 * more.
 */
export function bytesOf({ method, target, headers, body }: RawRequest): Buffer {
  const needsLength = body.length > 0 || !["GET", "HEAD", "OPTIONS", "TRACE"].includes(method);
  const lines = [...headers, ...(needsLength ? [["content-length", String(body.length)] as const] : [])];
  const head =
    `${method} ${target} ` +
    `HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

export class RawConnection {
  readonly #port: number;
  readonly #timeoutMs: number;
  #socket: Socket | undefined;

  constructor(port: number, timeoutMs: number) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  async exchange(request: RawRequest): Promise<RawOutcome> {
    const isReused = this.#socket !== undefined;
    const outcome = await this.#once(request);
    // Nobody knows how a server read what was malformed, and so where the next request begins.
    if (!request.wellFormed) this.close();
    // A server may end an idle connection at the very moment at which it is used again (RFC 9112, 9.5).
    return outcome === "dropped" && isReused ? await this.#once(request) : outcome;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(): Socket {
    const socket = connect(this.#port, "127.0.0.1");
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    return socket;
  }

  #once(request: RawRequest): Promise<RawOutcome> {
    const socket = this.#socket ?? this.#connect();
    return new Promise((resolve) => {
      let received = Buffer.alloc(0);
      const finish = (outcome: RawOutcome, keep: boolean) => {
        clearTimeout(timer);
        socket.off("data", onData).off("close", onClose);
        if (!keep) this.close();
        resolve(outcome);
      };
      const onData = (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const parsed = parse(received, request.method, false);
        if (parsed !== undefined) finish(parsed, parsed.headers.get("connection") !== "close");
      };
      const onClose = () => finish(parse(received, request.method, true) ?? "dropped", false);
      const timer = setTimeout(() => finish("hung", false), this.#timeoutMs);
      socket.on("data", onData).on("close", onClose);
      socket.write(bytesOf(request));
    });
  }
}

/** A whole response at the start of what was received, or undefined while some of it is missing. */
function parse(received: Buffer, method: string, isClosed: boolean): RawResponse | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [statusLine = "", ...lines] = received.subarray(0, end).toString().split("\r\n");
  const status = Number(statusLine.split(" ")[1]);
  const rest = received.subarray(end + 4);
  if (status >= 100 && status < 200) return parse(rest, method, isClosed);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^:]*):\s*(.*)$/.exec(line) ?? [];
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}\n${value}`);
  }
  if (method === "HEAD" || status === 204 || status === 304) return { status, headers, body: "" };
  if (headers.get("transfer-encoding") === "chunked") {
    const body = chunks(rest);
    return body === undefined ? undefined : { status, headers, body };
  }
  const length = headers.get("content-length");
  // Node's own refusals: no length, no body, and the end of the connection.
  const isLast = isClosed || headers.get("connection") === "close";
  if (length === undefined) return isLast ? { status, headers, body: rest.toString() } : undefined;
  return rest.length < Number(length)
    ? undefined
    : { status, headers, body: rest.subarray(0, Number(length)).toString() };
}

function chunks(from: Buffer): string | undefined {
  const parts: Buffer[] = [];
  let rest = from;
  for (;;) {
    const end = rest.indexOf("\r\n");
    if (end === -1) return undefined;
    const length = Number.parseInt(rest.subarray(0, end).toString(), 16);
    if (rest.length < end + 4 + length) return undefined;
    if (length === 0) return Buffer.concat(parts).toString();
    parts.push(rest.subarray(end + 2, end + 2 + length));
    rest = rest.subarray(end + 4 + length);
  }
}
