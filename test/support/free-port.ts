import { randomInt } from "node:crypto";
import { createServer } from "node:http";

/**
 * A free port of loopback, from below the range in which systems give ports to outgoing connections: those of
 * tests that run beside this one would take it again before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
