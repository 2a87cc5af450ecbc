/**
 * Z6: half-sent, slow and oversized requests, over bare sockets: they cost those who send them, and nobody
 * else waits.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, startAttacked } from "../support/attack-fixture.ts";
import { people, register, signIn } from "../support/liaison.ts";
import { askFrom, halfSent, openRaw } from "../support/raw-socket.ts";

describe("Z6: half-sent and slow requests", () => {
  let liaison: Attacked;
  let port: number;
  before(async () => {
    // As deployments have it.
    liaison = await startAttacked({ strangers: 1, config: (base) => ({ ...base, limits: {} }) });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "z6", email: "z6@northwind.example" },
    ]);
    port = Number(new URL(liaison.issuer).port);
  });
  after(() => liaison?.close());

  it("Z6: forms that never come whole make no other request of their address wait", async () => {
    const url = (await liaison.customerSource.start()).url.href;
    for (let turn = 0; turn < 110; turn += 1) await askFrom("127.0.0.1", url);
    const paths = [
      "/authorize",
      "/par",
      "/token",
      "/logout",
      "/interaction/x/sign-in",
      "/upstream/fabrikam/callback",
    ];
    const held = await Promise.all(
      paths.flatMap((path) => [1, 2, 3].map(() => openRaw(port, halfSent(path)))),
    );
    const begun = performance.now();
    const page = await signIn(liaison.browser(), await liaison.customerSource.start(), people.ann);
    const ms = performance.now() - begun;
    assert.match(page.heading, /registered/i);
    assert.ok(ms < 8000, `a sign-in at the same address took ${Math.round(ms)} ms`);
    for (const { socket } of held) socket.destroy();
  });

  it(
    "Z6: a head or a form that doesn't come is answered with a page of ours in time, and its connection " +
      "ends",
    async () => {
      const [head, form] = await Promise.all([
        openRaw(port, "GET /help HTTP/1.1\r\nhost: x\r\nx-slow: "),
        openRaw(port, halfSent("/authorize")),
      ]);
      const drip = setInterval(() => {
        head.socket.write("a");
        form.socket.write("a");
      }, 500);
      const times = await Promise.all([head.ended, form.ended]);
      clearInterval(drip);
      for (const { received } of [head, form]) {
        assert.match(received(), /^HTTP\/1\.1 408 /);
        assert.match(received(), /<h1>That took too long<\/h1>/);
        assert.match(received(), /content-security-policy: default-src 'none'/);
      }
      assert.ok((times[0] ?? 0) < 15_000 && (times[1] ?? 0) < 25_000, `${times}`);
    },
  );

  it(
    "Z6: a form larger than any that is needed is refused before it is read, at every endpoint that " +
      "reads one",
    async () => {
      for (const path of [
        "/authorize",
        "/par",
        "/token",
        "/logout",
        "/logout/confirm",
        "/introspect",
        "/revoke",
        "/userinfo",
      ]) {
        const announced = await openRaw(port, halfSent(path, 60_000));
        await announced.ended;
        assert.match(announced.received(), /^HTTP\/1\.1 413 /, path);
        const lines = [`POST ${path} HTTP/1.1`, "host: x", "content-type: application/x-www-form-urlencoded"];
        const chunked = await openRaw(
          port,
          `${[...lines, "transfer-encoding: chunked"].join("\r\n")}\r\n\r\n`,
        );
        for (let turn = 0; turn < 20; turn += 1) chunked.socket.write(`400\r\n${"a".repeat(1024)}\r\n`);
        await chunked.ended;
        assert.match(chunked.received(), /^HTTP\/1\.1 413 /, `${path} in chunks`);
      }
    },
  );
});

describe("too many cookies", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({ strangers: 0 });
  });
  after(() => liaison?.close());

  const cookies = (bytes: number) =>
    Array.from({ length: Math.ceil(bytes / 1000) }, (_, index) => `c${index}=${"x".repeat(990)}`).join("; ");

  it("of fifty kilobytes are read past", async () => {
    const { status } = await askFrom("127.0.0.1", `${liaison.issuer}/help`, {
      headers: { cookie: cookies(50_000) },
    });
    assert.equal(status, 200);
  });

  it("of more are answered with a page that says what to do", async () => {
    const answer = await askFrom("127.0.0.1", `${liaison.issuer}/help`, {
      headers: { cookie: cookies(150_000) },
    });
    assert.equal(answer.status, 431);
    assert.match(answer.body, /<h1>Your browser sends too many cookies<\/h1>/);
    assert.match(answer.body, /Delete the cookies of this website/);
    assert.equal(answer.headers["x-frame-options"], "DENY");
  });

  it("what is no HTTP gets a page, too", async () => {
    const raw = await openRaw(Number(new URL(liaison.issuer).port), "\x16\x03\x01 nonsense\r\n\r\n");
    await raw.ended;
    assert.match(raw.received(), /^HTTP\/1\.1 400 [\s\S]*<h1>We couldn&#39;t understand that request<\/h1>/);
  });
});
