/** The administration's commands on both targets: on the store beside a service, and by that service. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { auditExportCommand } from "../../src/cli/administration/audit-export.ts";
import { auditVerifyCommand } from "../../src/cli/administration/audit-verify.ts";
import { administrationCommands } from "../../src/cli/administration/operation-commands.ts";
import { linksCommands } from "../../src/cli/links.ts";
import { mailCommands } from "../../src/cli/mail.ts";
import { run } from "../../src/cli/run.ts";
import { type Liaison, startLiaison } from "./liaison.ts";

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

export type Target = (line: string, ...more: string[]) => Promise<Said>;

export interface CommandTargets {
  liaison: Liaison;
  local: Target;
  remote: Target;
  remoteAt: (url: string, tokenFile: string) => Target;
  /** A key with every scope, for `remote`. */
  tokenFile: string;
  newKey(name: string, scopes: string): Promise<string>;
}

/** Starts a service, and gives the commands beside it. */
export async function startCommandTargets(): Promise<CommandTargets> {
  let written: Record<string, unknown> = {};
  const liaison = await startLiaison({
    embedded: true,
    config: (base) => {
      const limits = {
        ...(base["limits"] as object),
        mails_per_profile: { limit: 1, window_seconds: 3600 },
      };
      written = { ...base, limits };
      return written;
    },
  });
  const config = join(liaison.dataDir, "liaison.yaml");
  await writeFile(config, JSON.stringify(written));
  const commands = [
    ...administrationCommands(liaison.clock),
    auditVerifyCommand(liaison.clock),
    auditExportCommand(liaison.clock),
    ...linksCommands(liaison.clock),
    ...mailCommands({ clock: liaison.clock, stdin: () => new PassThrough() }),
  ];
  const say = async (words: string[]): Promise<Said> => {
    const [stdout, stderr] = [new PassThrough({ highWaterMark: 2 ** 24 }), new PassThrough()];
    const code = await run(words, commands, { stdout, stderr, signal: new AbortController().signal });
    return { code, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
  };
  const tokenFile = join(liaison.dataDir, "token");
  const local: Target = (line, ...more) => say([...line.split(" "), ...more, "--config", config]);
  const remoteAt =
    (url: string, file: string): Target =>
    (line, ...more) =>
      say([...line.split(" "), ...more, "--url", url, "--token-file", file]);
  const remote = remoteAt(liaison.issuer, tokenFile);

  async function allScopes(): Promise<string> {
    const { stderr } = await local("keys create --name x --scopes none");
    return (/some of (.*), not/.exec(stderr)?.[1] ?? "").replace(" or ", ", ").replaceAll(" ", "");
  }

  async function newKey(name: string, scopes: string): Promise<string> {
    const { stdout, stderr } = await local(`keys create --name ${name} --scopes ${scopes} --json`);
    assert.match(stderr, /won't be shown again/);
    return (JSON.parse(stdout) as { key: string }).key;
  }

  await writeFile(tokenFile, await newKey("all", await allScopes()));
  return { liaison, local, remote, remoteAt, tokenFile, newKey };
}

/** A server that answers as a test says. */
export async function listening(
  handler: Parameters<typeof createServer>[1],
): Promise<{ url: string; server: Server }> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
