/**
 * A connection that turns to rubbish while a request on it is being answered: Node's error carries the raw
 * bytes.
 */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { it } from "node:test";
import { pino } from "pino";
import { startLiaison } from "../support/liaison.ts";

it("D6: leaves neither bytes nor cookies of it in the log, and is no fault of ours", async () => {
  const lines: string[] = [];
  const logger = pino({ level: "trace" }, { write: (line: string) => lines.push(line) });
  const liaison = await startLiaison({ upstream: false, logger });
  try {
    const { port } = new URL(liaison.issuer);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(
          "GET /help HTTP/1.1\r\nHost: x\r\nCookie: liaison.session=a-cookie-to-keep\r\n\r\nRUBBISH \r\n\r\n",
        );
      });
      socket.on("data", () => {});
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    });
    const log = lines.join("");
    assert.match(log, /HPE_/, "the fault was seen");
    assert.doesNotMatch(log, /a-cookie-to-keep|rawPacket/);
    assert.ok(
      !log.includes([..."a-cookie-to-keep"].map((character) => character.charCodeAt(0)).join()),
      "as bytes",
    );
    assert.doesNotMatch(log, /"level":(40|50|60)/);
  } finally {
    await liaison.close();
  }
});
