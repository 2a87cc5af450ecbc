/** How the HTTP server ends: what its clients are told, what is finished, what is cut. Over real sockets. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { createHttpServer, type HttpServer } from "../../src/http/http-server.ts";

const at = { host: "127.0.0.1", port: 0 };
const request = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

/** What a connection has received, once that ends with `ending`. */
function received(socket: Socket, ending: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const take = (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.endsWith(ending)) return;
      socket.off("data", take);
      resolve(text);
    };
    socket.on("data", take);
  });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Several rounds through the loop, in which the other end of a connection gets its turn. */
async function turns(): Promise<void> {
  for (let round = 0; round < 50; round += 1) await turn();
}

describe("HTTP server", () => {
  let server: HttpServer;
  let port: number;
  let held: ServerResponse[];

  beforeEach(async () => {
    held = [];
    server = createHttpServer(
      ({ url }, response) => {
        if (url === "/held") held.push(response);
        else response.end("done");
      },
      { warn: () => {}, debug: () => {} },
    );
    ({ port } = await server.listen(at));
  });
  afterEach(async () => {
    mock.timers.reset();
    await server.close(0);
  });

  async function connected(): Promise<Socket> {
    const socket = connect(port, at.host);
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  async function keptAlive(): Promise<Socket> {
    const socket = await connected();
    socket.write(request("/"));
    const text = await received(socket, "done");
    assert.match(text, /connection: keep-alive/i);
    return socket;
  }

  it(
    "sending away: each answer ends its connection, that of a request that is there already too; new " +
      "ones are taken",
    async () => {
      const [kept, waiting] = [await keptAlive(), await keptAlive()];
      waiting.write(request("/held"));
      while (held.length === 0) await turn();
      server.sendAway();
      const fresh = await connected();
      const answers = [kept, waiting, fresh].map(async (socket) => {
        const ended = once(socket, "end");
        assert.match(await received(socket, "done"), /connection: close/i);
        await ended;
      });
      held[0]?.end("done");
      kept.write(request("/"));
      fresh.write(request("/"));
      await Promise.all(answers);
    },
  );

  it("draining: no new one; a request on its way over an idle one is answered, then that ends", async () => {
    const [kept, waiting] = [await keptAlive(), await keptAlive()];
    waiting.write(request("/held"));
    while (held.length === 0) await turn();
    let isDrained = false;
    const drained = server.drain(20_000).then(() => {
      isDrained = true;
    });
    const refused = connect(port, at.host);
    const [{ code }] = (await once(refused, "error")) as [NodeJS.ErrnoException];
    assert.equal(code, "ECONNREFUSED");
    await turns();
    kept.write(request("/"));
    assert.match(await received(kept, "done"), /connection: close/i);
    await turns();
    assert.equal(isDrained, false, "one is still being answered");
    held[0]?.end("done");
    assert.match(await received(waiting, "done"), /connection: close/i);
    await drained;
  });

  it(
    "draining: one that never asks anything ends after the time that idle ones have, and what is being " +
      "answered stays",
    async () => {
      mock.timers.enable({ apis: ["setTimeout"] });
      const [silent, waiting] = [await connected(), await connected()];
      waiting.write(request("/held"));
      while (held.length === 0) await turn();
      const drained = server.drain(20_000);
      const ended: string[] = [];
      silent.once("close", () => ended.push("silent"));
      waiting.once("close", () => ended.push("waiting"));
      mock.timers.tick(5900);
      await turns();
      assert.deepEqual(ended, []);
      mock.timers.tick(100);
      await turns();
      assert.deepEqual(ended, ["silent"]);
      mock.timers.tick(13_900);
      await turns();
      assert.deepEqual(ended, ["silent"], "being answered for 19.9 seconds");
      mock.timers.tick(100);
      await drained;
      await turns();
      assert.deepEqual(ended, ["silent", "waiting"], "cut");
    },
  );

  it("closing: idle ones end at once, and what is being answered is answered", async () => {
    const [kept, waiting] = [await keptAlive(), await keptAlive()];
    waiting.write(request("/held"));
    while (held.length === 0) await turn();
    const ended = once(kept, "close");
    const closed = server.close(10_000);
    await ended;
    held[0]?.end("done");
    assert.match(await received(waiting, "done"), /connection: close/i);
    await closed;
  });

  it("a taken port is said so", async () => {
    const other = createHttpServer(() => {}, { warn: () => {}, debug: () => {} });
    await assert.rejects(other.listen({ ...at, port }), { code: "port_taken" });
    await other.close(0);
  });
});
