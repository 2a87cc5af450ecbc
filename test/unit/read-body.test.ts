/** Bodies up to a limit: of requests, over bare sockets, and of responses. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { BodyTooLarge, readBody, readResponse } from "../../src/read-body.ts";

const largest = 1024;
const head = (line: string) => `POST / HTTP/1.1\r\nhost: x\r\n${line}\r\n\r\n`;
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${"a".repeat(bytes)}\r\n`;

describe("the body of a request", () => {
  const reads: { error?: unknown; bytes?: number }[] = [];
  const read = (request: IncomingMessage) => readBody(request, largest, request.headers["content-length"]);
  const server = createServer((request, response) => {
    void read(request).then(
      (bytes) => {
        reads.push({ bytes: bytes.length });
        response.end("read");
      },
      (error: unknown) => {
        reads.push({ error });
        response.writeHead((error as { status?: number }).status ?? 500, { connection: "close" }).end();
      },
    );
  });
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server.close());

  async function send(text: string): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(text);
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    return answer.toString().split("\r\n", 1)[0] ?? "";
  }

  it("is read whole, up to the limit", async () => {
    assert.equal(await send(head("content-length: 1024") + "a".repeat(1024)), "HTTP/1.1 200 OK");
    assert.equal(
      await send(`${head("transfer-encoding: chunked") + chunk(1024)}0\r\n\r\n`),
      "HTTP/1.1 200 OK",
    );
    assert.deepEqual(reads.splice(0), [{ bytes: 1024 }, { bytes: 1024 }]);
  });

  it("is refused when it says that it is longer, before any of it came, and still answered", async () => {
    assert.equal(await send(head("content-length: 1025")), "HTTP/1.1 413 Payload Too Large");
    assert.ok(reads.splice(0)[0]?.error instanceof BodyTooLarge);
  });

  it("is refused once it is longer, and still answered while it goes on", async () => {
    const endless = head("transfer-encoding: chunked") + chunk(1024) + chunk(1);
    assert.equal(await send(endless), "HTTP/1.1 413 Payload Too Large");
    const [{ error } = {}] = reads.splice(0);
    assert.ok(error instanceof BodyTooLarge);
    assert.equal(error.message, "The body is larger than 1024 bytes.");
  });

  it("of somebody who went away is no fault of ours", async () => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(`${head("content-length: 1000")}some`);
    await once(server, "request");
    socket.destroy();
    while (reads.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [{ error } = {}] = reads.splice(0);
    assert.equal((error as { status?: number } | undefined)?.status, 400);
  });

  it("of somebody who had gone before it is read is none either", async () => {
    const gone = Readable.from([Buffer.from("some")]);
    gone.destroy();
    await assert.rejects(readBody(gone, largest), { status: 400 });
  });
});

describe("the body of a response", () => {
  it("is read up to the limit, and its transfer ended beyond it", async () => {
    const ended: unknown[] = [];
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(100)),
        cancel: (reason) => void ended.push(reason),
      });
    await assert.rejects(readResponse(endless(), largest), BodyTooLarge);
    assert.equal(ended.length, 1);
    const small = new Response(new Uint8Array(largest)).body ?? assert.fail();
    assert.equal((await readResponse(small, largest)).length, largest);
  });

  it("that breaks off is told as it was", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new TypeError("terminated")),
    });
    await assert.rejects(readResponse(broken, largest), { name: "TypeError", message: "terminated" });
  });
});
