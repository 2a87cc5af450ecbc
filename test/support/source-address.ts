/**
 * Another address of this machine to send requests from, which `fetch` has no setting for: a relay that
 * connects from there.
 */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface SourceAddress {
  /** Where a request is really sent: those to the target's origin through the relay. */
  proxy(url: URL): URL;
  close(): Promise<void>;
}

/** @param localAddress of loopback, as in 127.0.0.5 */
export async function sourceAddress(localAddress: string, target: string): Promise<SourceAddress> {
  const { origin, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect({ host: "127.0.0.1", port: Number(port), localAddress });
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const relay = (server.address() as AddressInfo).port;
  return {
    proxy: (url) =>
      url.origin === origin ? new URL(`http://127.0.0.1:${relay}${url.pathname}${url.search}`) : url,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
