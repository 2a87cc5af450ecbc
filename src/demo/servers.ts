/** What the demo's small HTTP servers have in common: loopback listening, ports that must be free, forms. */

import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSocketServer } from "node:net";
import type { Context, Next } from "koa";
import { LiaisonError } from "../errors.ts";
import { readBody } from "../read-body.ts";

/** A running part of the demo. */
export interface Running {
  /** Where browsers reach it, without a trailing slash. */
  url: string;
  close(): Promise<void>;
}

const LOOPBACK = ["127.0.0.1", "::1"] as const;
/** What listening says on a machine without IPv6: no fault, IPv4 alone will do. */
const NO_SUCH_ADDRESS = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/**
 * Serves on both loopback addresses, whichever of them a browser takes `localhost` for. Throws `port_taken`.
 */
export async function serveOnLoopback(port: number, handler: RequestListener): Promise<Running> {
  const servers: Server[] = [];
  const close = async () => {
    await Promise.all(
      servers.map(async (server) => {
        const closed = once(server, "close");
        server.close();
        server.closeAllConnections();
        await closed;
      }),
    );
  };
  for (const host of LOOPBACK) {
    const server = createServer(handler);
    try {
      server.listen(port, host);
      await once(server, "listening");
      servers.push(server);
    } catch (error) {
      if (NO_SUCH_ADDRESS.has(errorCode(error)) && servers.length > 0) continue;
      await close();
      throw errorCode(error) === "EADDRINUSE" ? portTaken([port]) : error;
    }
  }
  return { url: `http://localhost:${port}`, close };
}

/** The error for ports that something else uses, with what to do about it. */
export function portTaken(ports: number[], portBase?: number): LiaisonError {
  const which = ports.length === 1 ? `Port ${ports[0]} is` : `Ports ${ports.join(", ")} are`;
  const elsewhere =
    portBase === undefined
      ? ""
      : `, or move the demo: npm run demo -- --port-base ${portBase + (portBase < 65_000 ? 100 : -100)}`;
  return LiaisonError.portTaken(`${which} already in use. Stop what listens there${elsewhere}`);
}

async function isFree(port: number, host: string): Promise<boolean> {
  const probe = createSocketServer();
  try {
    probe.listen({ port, host, exclusive: true });
    await once(probe, "listening");
  } catch (error) {
    return NO_SUCH_ADDRESS.has(errorCode(error));
  }
  const closed = once(probe, "close");
  probe.close();
  await closed;
  return true;
}

/** The given ports on which something listens already. */
export async function takenPorts(ports: number[]): Promise<number[]> {
  const checks = ports.map(async (port) => {
    const free = await Promise.all(LOOPBACK.map((host) => isFree(port, host)));
    return free.every(Boolean) ? [] : [port];
  });
  return (await Promise.all(checks)).flat();
}

const FORM_LIMIT_BYTES = 64 * 1024;

/** Reads a posted form. Answers 413 beyond 64 KiB. */
export async function readForm(ctx: Context): Promise<URLSearchParams> {
  const bytes = await readBody(ctx.req, FORM_LIMIT_BYTES, ctx.req.headers["content-length"]);
  return new URLSearchParams(bytes.toString("utf8"));
}

/**
 * Refuses forms that another site's page posts. SameSite cookies don't: every port of localhost is the same
 * site. Clients that aren't browsers send no `Sec-Fetch-Site` and no cookies of somebody else's.
 */
export async function refuseForeignPosts(ctx: Context, next: Next): Promise<void> {
  const from = ctx.get("Sec-Fetch-Site");
  if (ctx.method === "POST" && from !== "" && from !== "same-origin" && from !== "none") {
    ctx.throw(403, "This form was sent from another site.");
  }
  await next();
}
