/** When readiness looks, what it makes of what it finds, and what it logs. Time is node:test's. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { MailError, type MailFailure } from "../../src/mail/failures.ts";
import { createSmtpTransport } from "../../src/mail/transport.ts";
import { watchedTransport } from "../../src/mail/watched-transport.ts";
import { type Check, createReadiness, type Finding } from "../../src/readiness.ts";
import { createWorkerLoop } from "../../src/worker-loop.ts";
import { freePort } from "../support/free-port.ts";
import { startMailbox } from "../support/mailbox.ts";

const settle = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe("readiness", () => {
  let lines: string[];
  let looks: number;
  let behave: () => Finding | Promise<Finding>;
  const say = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const logger = { info: say("info"), warn: say("warn") };
  const other: Check = { name: "other", look: () => ({ status: "ok" }) };
  const make = () =>
    createReadiness({
      logger,
      checks: [
        {
          name: "one",
          look: () => {
            looks += 1;
            return behave();
          },
        },
        other,
      ],
    });

  beforeEach(() => {
    lines = [];
    looks = 0;
    behave = () => ({ status: "ok" });
    mock.timers.enable({ apis: ["setTimeout"] });
  });
  afterEach(() => mock.timers.reset());
  const pass = async (milliseconds: number) => {
    mock.timers.tick(milliseconds);
    await settle();
  };

  it("fails until it has looked, then looks every five seconds, however often it is asked", async () => {
    const readiness = make();
    assert.equal(readiness.report().status, "failing");
    await readiness.start();
    for (let turn = 0; turn < 100; turn += 1) assert.equal(readiness.report().status, "ok");
    assert.equal(looks, 1);
    await pass(4999);
    assert.equal(looks, 1);
    await pass(1);
    assert.equal(looks, 2);
    readiness.stop();
    await pass(60_000);
    assert.equal(looks, 2);
    assert.deepEqual(lines, [], "all is well from the start");
  });

  it("the worst finding is the whole's; each change is a line", async () => {
    const readiness = make();
    await readiness.start();
    behave = () => ({ status: "degraded", reason: "tired" });
    await pass(5000);
    assert.equal(readiness.report().status, "degraded");
    behave = () => Promise.reject(new Error("secret address"));
    await pass(5000);
    await pass(5000);
    assert.deepEqual(readiness.report(), {
      status: "failing",
      checks: { one: { status: "failing", reason: "unreachable" }, other: { status: "ok" } },
    });
    behave = () => ({ status: "ok" });
    await pass(5000);
    assert.equal(readiness.report().status, "ok");
    assert.deepEqual(lines, [
      `warn: a check doesn't pass {"check":"one","status":"degraded","reason":"tired"}`,
      `warn: a check doesn't pass {"check":"one","status":"failing","reason":"unreachable"}`,
      `info: the check passes again {"check":"one"}`,
    ]);
    readiness.drain();
    assert.equal(readiness.report().status, "draining");
    readiness.stop();
  });

  it("a check that doesn't answer within two seconds fails, and keeps nobody from another", async () => {
    const readiness = make();
    behave = () => new Promise(() => {});
    const started = readiness.start();
    await pass(1999);
    assert.equal(readiness.report().checks["other"]?.status, "failing");
    await pass(1);
    await started;
    assert.deepEqual(readiness.report().checks, {
      one: { status: "failing", reason: "no answer" },
      other: { status: "ok" },
    });
    readiness.stop();
  });
});

describe("what a worker says of itself", () => {
  let elapsed = 0;
  let behave: (onStep: () => void) => unknown;
  const loop = () =>
    createWorkerLoop({
      name: "test",
      pollMs: 1000,
      logger: { info: () => {}, error: () => {} },
      elapsedMs: () => elapsed,
      runOnce: async ({ onStep }) => await behave(onStep),
    });
  beforeEach(() => {
    behave = () => undefined;
    mock.timers.enable({ apis: ["setTimeout"] });
  });
  afterEach(() => mock.timers.reset());

  it("not running, then running, then not again", async () => {
    const worker = loop();
    assert.equal(worker.check.name, "background.test");
    assert.deepEqual(await worker.check.look(), { status: "failing", reason: "not running" });
    worker.start();
    assert.deepEqual(await worker.check.look(), { status: "ok" });
    await worker.stop();
    assert.deepEqual(await worker.check.look(), { status: "failing", reason: "not running" });
  });

  it("a run that completes nothing for 2½ minutes hangs; one that goes on by steps doesn't", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let step = () => {};
    behave = (onStep) => {
      step = onStep;
      return promise;
    };
    const worker = loop();
    worker.start();
    for (let turn = 0; turn < 10; turn += 1) {
      elapsed += 150_000;
      assert.deepEqual(await worker.check.look(), { status: "ok" });
      step();
    }
    elapsed += 150_001;
    assert.deepEqual(await worker.check.look(), { status: "failing", reason: "hangs" });
    resolve();
    await settle();
    assert.deepEqual(await worker.check.look(), { status: "ok" });
    await worker.stop();
  });

  it("three failed runs in a row are degraded, until one succeeds", async () => {
    behave = () => Promise.reject(new Error("no"));
    const worker = loop();
    worker.start();
    await settle();
    for (const pause of [2000, 4000]) {
      assert.deepEqual(await worker.check.look(), { status: "ok" });
      mock.timers.tick(pause);
      await settle();
    }
    assert.deepEqual(await worker.check.look(), { status: "degraded", reason: "its last runs failed" });
    behave = () => undefined;
    worker.nudge();
    await settle();
    assert.deepEqual(await worker.check.look(), { status: "ok" });
    await worker.stop();
  });
});

describe("what is known of the mail server", () => {
  it("degraded when it couldn't be had the last time, whatever it says of one mail", async () => {
    const mailbox = await startMailbox();
    const base = {
      from_name: "Contoso",
      from_address: "no-reply@contoso.example",
      dkim: null,
      bounce_webhook_token: null,
    };
    const smtp = { host: "127.0.0.1", security: "none" as const, username: null, password: null };
    const more = { client_name: null, oauth2: null, max_connections: 1, timeout_seconds: 2 };
    const mail = {
      messageId: "a@contoso.example",
      to: "ann@northwind.example",
      subject: "s",
      text: "t",
      html: "h",
    };
    let port = await freePort();
    const transports: ReturnType<typeof createSmtpTransport>[] = [];
    const { transport, check } = watchedTransport({
      send: (given) => {
        const made = createSmtpTransport({ ...base, smtp: { ...smtp, ...more, port } });
        transports.push(made);
        return made.send(given);
      },
      close: async () => {},
    });
    assert.deepEqual(await check.look(), { status: "ok" });
    await assert.rejects(transport.send(mail));
    assert.deepEqual(await check.look(), { status: "degraded", reason: "the last delivery failed" });
    port = mailbox.port;
    await transport.send(mail);
    assert.deepEqual(await check.look(), { status: "ok" });
    await assert.rejects(transport.send({ ...mail, to: "no address" }));
    assert.deepEqual(await check.look(), { status: "ok" });
    for (const one of transports) await one.close();
    await mailbox.close();
  });

  /** Deliveries that end when, and as, they are told to. */
  function watched() {
    const ends = new Map<string, (failure?: MailFailure) => void>();
    const { transport, check } = watchedTransport({
      send: ({ messageId }) =>
        new Promise((resolve, reject) => {
          ends.set(messageId, (failure) =>
            failure === undefined
              ? resolve({ reply: "250 ok" })
              : reject(new MailError(failure, "not taken")),
          );
        }),
      close: async () => {},
    });
    const begin = (id: string, to = `${id}@northwind.example`) => {
      const sending = transport.send({ messageId: id, to, subject: "s", text: "t", html: "h" });
      return async (failure?: MailFailure) => {
        ends.get(id)?.(failure);
        await sending.catch(() => {});
        return (await check.look()).status;
      };
    };
    return { begin, once: (id: string, to?: string, failure?: MailFailure) => begin(id, to)(failure) };
  }

  it("is what the delivery begun last met with, whichever ends last", async () => {
    const { begin } = watched();
    const [slow, quick] = [begin("a"), begin("b")];
    assert.equal(await quick(), "ok");
    assert.equal(await slow("timeout"), "ok", "older news");
    const [before, failing] = [begin("c"), begin("d")];
    assert.equal(await failing("connection_refused"), "degraded");
    assert.equal(await before(), "degraded", "older news");
    const [later, aboutItself] = [begin("e"), begin("f")];
    assert.equal(await aboutItself("recipient_refused"), "degraded");
    assert.equal(await later(), "ok");
  });

  it("doesn't follow a refusal that one recipient gets again, but one that another gets, too", async () => {
    const { begin, once } = watched();
    const [ann, ben] = ["ann@northwind.example", "ben@northwind.example"];
    for (const id of ["a", "b", "c"]) assert.equal(await once(id, ann, "relay_refused"), "ok");
    assert.equal(await once("d", ben), "ok");
    assert.equal(await once("e", ben, "command_refused"), "ok", "a mail went between");
    const older = begin("f", ben);
    assert.equal(await once("g", ann, "relay_refused"), "degraded");
    assert.equal(await older(), "degraded", "older news");
    assert.equal(await once("h", ann, "relay_refused"), "degraded");
    assert.equal(await once("i", ben), "ok");
    assert.equal(await once("j", ann, "relay_refused"), "ok");
  });
});
