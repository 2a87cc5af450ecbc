/**
 * How many connections one client network may hold: beyond that its oldest goes which has no whole request in
 * it, so that slow and half-sent ones keep nobody of their own address out. Proxies that are trusted speak
 * for many and aren't counted.
 */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { clientAddress, clientNetwork } from "../domain/networks.ts";

export interface Connections {
  /** A connection was made. */
  opened(socket: Socket): void;
  /** The head of a request has arrived on it. */
  asked(request: IncomingMessage): void;
}

/** More than an office of hundreds needs, whose browsers have six each. */
const connectionsPerNetwork = 1000;

export function createConnections({
  most = connectionsPerNetwork,
  isTrustedProxy,
}: {
  most?: number;
  isTrustedProxy(address: string): boolean;
}): Connections {
  /** By network, the oldest first. */
  const networks = new Map<string, Set<Socket>>();
  const newest = new WeakMap<Socket, IncomingMessage>();

  /** Whether it is us who have to do something now. */
  const isBeingAnswered = (socket: Socket) => {
    const request = newest.get(socket);
    return request?.complete === true && !request.destroyed;
  };

  return {
    opened(socket) {
      const address = clientAddress(socket.remoteAddress, undefined, () => false);
      if (isTrustedProxy(address)) return;
      const network = clientNetwork(address);
      const theirs = networks.get(network) ?? new Set<Socket>();
      networks.set(network, theirs.add(socket));
      socket.once("close", () => {
        theirs.delete(socket);
        if (theirs.size === 0 && networks.get(network) === theirs) networks.delete(network);
      });
      if (theirs.size <= most) return;
      for (const oldest of theirs) {
        if (isBeingAnswered(oldest)) continue;
        oldest.destroy();
        return;
      }
      socket.destroy();
    },

    asked(request) {
      newest.set(request.socket, request);
    },
  };
}
