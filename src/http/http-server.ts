/**
 * Node's HTTP server: listening, and ending without losing a request. Whoever keeps connections open is told
 * by the answers themselves (`Connection: close`, RFC 9112, 9.6), so that no request meets a connection that
 * was just closed.
 */

import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import type { Milliseconds } from "../clock.ts";
import { LiaisonError } from "../errors.ts";
import { createConnections } from "./connections.ts";
import type { Refusals } from "./refusals.ts";

export interface HttpServer {
  /** @throws LiaisonError `port_taken` */
  listen(at: { host: string; port: number }): Promise<{ port: number }>;
  /** From now on each answer ends its connection. New connections are still taken. */
  sendAway(): void;
  /**
   * Takes no new connections. Resolves when the last one has ended: after its next answer, or when it has
   * been idle for as long as its client was told that it may be. What is still being answered after
   * `longestMs` is cut.
   */
  drain(longestMs: Milliseconds): Promise<void>;
  /** The same at once for those that are idle. */
  close(longestMs: Milliseconds): Promise<void>;
}

/** The part of pino's logger that is used here. */
export interface HttpServerLogger {
  warn(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export interface HttpServerOptions {
  /** What answers requests that no handler is given; without it, Node's bare status lines. */
  refusals?: Pick<Refusals, "unreadable">;
  isTrustedProxy?(address: string): boolean;
}

/**
 * How long clients may take, in milliseconds: nobody waits for them, but each costs its memory and its
 * connection.
 */
const clientTimes = {
  /** To send the head of a request. */
  headersTimeout: 10_000,
  /** To send a whole request: a form of some kilobytes over a bad line. */
  requestTimeout: 20_000,
  /** To ask again on the same connection. */
  keepAliveTimeout: 5000,
  /** How often is looked whether one of these has passed. */
  connectionsCheckingInterval: 1000,
};
/**
 * How long nothing may pass in either direction, in milliseconds: for clients that don't read what they asked
 * for.
 */
const silenceMs: Milliseconds = 60_000;
/** The largest head of a request, in bytes: neighbours under a domain may have set a lot of cookies. */
const largestHead = 65_536;

/**
 * Beyond what clients are told of how long an idle connection stays: for a request that is on its way by
 * then.
 */
const onItsWayMs: Milliseconds = 1000;

/** Makes the server. It answers by `listener`, and listens when it is told to. */
export function createHttpServer(
  listener: RequestListener,
  logger: HttpServerLogger,
  { refusals, isTrustedProxy = () => false }: HttpServerOptions = {},
): HttpServer {
  const traffic: Traffic = { connections: new Set(), answering: new Map(), isSendingAway: false };
  const server = watchedServer(listener, traffic, createConnections({ isTrustedProxy }));
  if (refusals !== undefined) server.on("clientError", refusal(refusals, logger, traffic));
  return {
    listen: async (at) => await listen(server, logger, at),
    sendAway: () => sendAway(traffic),
    drain: async (longestMs) => {
      await end(server, traffic, { idleMs: server.keepAliveTimeout + onItsWayMs, longestMs });
    },
    close: async (longestMs) => await end(server, traffic, { idleMs: 0, longestMs }),
  };
}

/** Who is connected, and what is being answered on which connection. */
interface Traffic {
  readonly connections: Set<Socket>;
  readonly answering: Map<ServerResponse, Socket>;
  /** Whether each answer ends its connection. */
  isSendingAway: boolean;
}

function watchedServer(
  listener: RequestListener,
  traffic: Traffic,
  perNetwork: ReturnType<typeof createConnections>,
): Server {
  const { connections, answering } = traffic;
  const server = createServer({ ...clientTimes, maxHeaderSize: largestHead }, (request, response) => {
    perNetwork.asked(request);
    answering.set(response, request.socket);
    response.once("close", () => answering.delete(response));
    if (traffic.isSendingAway) response.shouldKeepAlive = false;
    listener(request, response);
  });
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    perNetwork.opened(socket);
  });
  server.setTimeout(silenceMs);
  return server;
}

/** Node leaves it to us to end the connection; what is still sent on it is an error again. */
function refusal(
  refusals: Pick<Refusals, "unreadable">,
  logger: HttpServerLogger,
  { answering }: Traffic,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  const refused = new WeakSet<Socket>();
  return (error, socket) => {
    if (refused.has(socket)) return;
    refused.add(socket);
    // Node's error carries the raw bytes, cookies and all: never log it whole.
    logger.debug({ reason: `${error.message} [${error.code}]` }, "a request couldn't be read");
    const isInAnswer = [...answering].some(([response, its]) => its === socket && response.headersSent);
    if (!socket.writable || isInAnswer || error.code === "ECONNRESET") socket.destroy();
    else refusals.unreadable(socket, error.code);
  };
}

async function listen(
  server: Server,
  logger: HttpServerLogger,
  { host, port }: { host: string; port: number },
): Promise<{ port: number }> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    const fix = "Stop what uses it, or set listen.port to another.";
    const text = `Port ${port} on ${host} is already in use. ${fix}`;
    throw LiaisonError.portTaken(text, cause);
  }
  // A connection that can't be accepted, for want of file descriptors, say, ends nothing but itself.
  server.on("error", ({ code }: NodeJS.ErrnoException) =>
    logger.warn({ code }, "a connection couldn't be taken"),
  );
  return { port: (server.address() as AddressInfo).port };
}

function sendAway(traffic: Traffic): void {
  traffic.isSendingAway = true;
  for (const response of traffic.answering.keys()) {
    if (!response.headersSent) response.shouldKeepAlive = false;
  }
}

function endIdle({ connections, answering }: Traffic): void {
  const busy = new Set(answering.values());
  for (const socket of connections) {
    if (!busy.has(socket)) socket.destroy();
  }
}

async function end(
  server: Server,
  traffic: Traffic,
  { idleMs, longestMs }: { idleMs: Milliseconds; longestMs: Milliseconds },
): Promise<void> {
  sendAway(traffic);
  if (!server.listening) return;
  // Not http.Server's own, which ends idle connections at once: a request may be on its way there already.
  const ended = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  if (idleMs === 0) endIdle(traffic);
  const idle = setTimeout(() => endIdle(traffic), idleMs);
  const longest = setTimeout(() => server.closeAllConnections(), longestMs);
  await ended;
  clearTimeout(idle);
  clearTimeout(longest);
  // Ends its looking for connections that are slow to send.
  server.close();
}
