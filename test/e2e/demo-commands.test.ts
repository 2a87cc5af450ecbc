/**
 * The commands of the administration beside a running demo, by the configuration that it writes and the line
 * that it prints.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, describe, it } from "node:test";
import { administrationCommands } from "../../src/cli/administration/operation-commands.ts";
import { run } from "../../src/cli/run.ts";
import { systemClock } from "../../src/clock.ts";
import { runDemo } from "../../src/demo/run.ts";

describe("commands beside the demo", () => {
  const stopper = new AbortController();
  let dataDir: string;
  let printed: string;
  let running: Promise<void>;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "liaison demo-"));
    for (;;) {
      const portBase = 10_000 + 30 * Math.floor(Math.random() * 700);
      const ready = Promise.withResolvers<string>();
      const stdout = { write: ready.resolve };
      running = runDemo({ portBase, dataDir, fresh: false, json: false, stdout, signal: stopper.signal });
      try {
        printed = await Promise.race([ready.promise, running.then(() => "")]);
        return;
      } catch (error) {
        if ((error as { code?: unknown }).code !== "port_taken") throw error;
      }
    }
  });
  after(async () => {
    stopper.abort();
    await running;
    await rm(dataDir, { recursive: true, force: true });
  });

  async function say(words: string[]) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const signal = new AbortController().signal;
    const code = await run(words, administrationCommands(systemClock), { stdout, stderr, signal });
    return { code, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
  }

  it("work by the line that it prints", async () => {
    const [, words = "", config = ""] =
      /npm exec liaison (.*) -- --config '?([^'\n]+)'?\n/.exec(printed) ?? [];
    assert.ok(config.startsWith(dataDir), printed);
    assert.equal((await stat(config)).mode & 0o777, 0o600, "it holds secrets");
    const listed = await say([...words.split(" "), "--config", config]);
    assert.deepEqual([listed.code, listed.stderr], [0, ""]);
    assert.match(listed.stdout, /^ID +NAME .*\n.*/);
    const edited = await say([
      "orgs",
      "create",
      "--name",
      "N",
      "--account-number",
      "1",
      "--kind",
      "customer",
      "--config",
      config,
    ]);
    assert.equal(edited.code, 0, edited.stderr);
  });
});
