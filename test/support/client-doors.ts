/**
 * Every way by which a client app is registered or edited, each tried for real: what comes of it, and what is
 * said.
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Logger } from "pino";
import { administrationCommands } from "../../src/cli/administration/operation-commands.ts";
import { configCheckCommand } from "../../src/cli/config-check.ts";
import { run } from "../../src/cli/run.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type AdminFixture, anId, clientBody, makeClient, startAdminFixture } from "./admin-fixture.ts";
import { bindTo } from "./attack-fixture.ts";
import { portalSecret, register, signIn } from "./liaison.ts";
import type { Page, UserAgent } from "./user-agent.ts";

/** What is tried, as the API spells it. */
export type ClientTry = Record<string, string | string[]>;

export interface Tried {
  isTaken: boolean;
  said: string;
}

export interface Posted extends Tried {
  page: Page;
}

export type Door =
  | "configuration"
  | "api"
  | "api, editing"
  | "command"
  | "command, editing"
  | "pages"
  | "pages, editing";

export interface ClientDoors {
  fixture: AdminFixture;
  /** Tries at one of the doors to register or to edit a client app with these fields. */
  at(door: Door, fields: ClientTry): Promise<Tried>;
  /** Runs a command on the store. */
  command(words: string[]): Promise<Tried>;
  /** Reads the configuration with these sections in place of its own. */
  configuration(sections: Record<string, unknown>): Promise<Tried>;
  /** An owner at the pages: posts a form of theirs. */
  post(page: string, form: string, fields: ClientTry): Promise<Posted>;
  /** A page as the owner sees it. */
  page(path: string): Promise<Page>;
  close(): Promise<void>;
}

/** The application with an owner signed in at its pages, and a client app to be edited. */
export async function openDoors({
  privateHosts = [],
  portals = [],
  logger,
}: {
  privateHosts?: readonly string[];
  /** Portals of the configuration, besides those of every test. */
  portals?: readonly object[];
  logger?: Logger;
} = {}): Promise<ClientDoors> {
  let written: Record<string, unknown> = {};
  const fixture = await startAdminFixture({
    embedded: true,
    ...(logger === undefined ? {} : { logger }),
    config: (base) => {
      written = {
        ...base,
        private_hosts: privateHosts,
        portals: [...(base["portals"] as object[]), ...portals],
      };
      return written;
    },
  });
  const browser = await owner(fixture);
  const { id: edited } = await makeClient(fixture, "web");
  const file = join(fixture.dataDir, "liaison.yaml");
  await writeFile(file, JSON.stringify(written));
  const commands = [...administrationCommands(fixture.clock), configCheckCommand];

  async function say(words: string[]): Promise<Tried> {
    const [stdout, stderr] = [
      new PassThrough({ highWaterMark: 2 ** 24 }),
      new PassThrough({ highWaterMark: 2 ** 24 }),
    ];
    const code = await run(words, commands, { stdout, stderr, signal: new AbortController().signal });
    return { isTaken: code === 0, said: String(stdout.read() ?? "") + String(stderr.read() ?? "") };
  }
  const command = (words: string[]) => say([...words, "--config", file]);

  async function configuration(sections: Record<string, unknown>): Promise<Tried> {
    const tried = join(fixture.dataDir, "tried.yaml");
    await writeFile(tried, JSON.stringify({ ...written, ...sections }));
    return await say(["config", "check", tried]);
  }

  async function post(page: string, form: string, fields: ClientTry): Promise<Posted> {
    const shown = await browser.visit(`${fixture.issuer}/admin${page}`);
    const body = new URLSearchParams();
    for (const name of ["csrf", "once", "revision"]) {
      const value = shown.dom.querySelector(`form input[name=${name}]`)?.getAttribute("value");
      if (value !== undefined) body.set(name, value);
    }
    for (const [name, value] of Object.entries(fields)) {
      // Ticks are a value each, lines are one.
      const values = ["kinds", "scopes"].includes(name) ? [value].flat() : [[value].flat().join("\n")];
      for (const one of values) body.append(name, one);
    }
    const answer = await browser.once(`${fixture.issuer}/admin${form}`, { method: "POST", body });
    // Something new is shown with its secret; what was edited is gone to.
    const isTaken = answer.status === 200 || answer.status === 303;
    assert.ok(isTaken || answer.status === 400, `${answer.status} ${answer.text}`);
    return { isTaken, said: answer.text, page: answer };
  }

  const flagsOf = (fields: ClientTry) =>
    Object.entries(fields).flatMap(([name, value]) => [
      `--${name.replaceAll("_", "-")}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
  const whole = {
    name: "A portal",
    home_url: "http://localhost:9/",
    redirect_uris: ["http://localhost:9/cb"],
  };
  const kinds = { kinds: "customer" };
  const doors: Record<Door, (fields: ClientTry) => Promise<Tried>> = {
    configuration: async (fields) => {
      const policy = { client_secret: portalSecret, access_policy: { kinds: ["customer"] } };
      return await configuration({ portals: [{ id: "tried", ...whole, ...policy, ...fields }] });
    },
    api: async (fields) => {
      const { status, text } = await fixture.owner.call("POST", "/clients", {
        body: { ...clientBody("web"), ...fields },
      });
      assert.ok(status === 201 || status === 400, text);
      return { isTaken: status === 201, said: text };
    },
    "api, editing": async (fields) => {
      const headers = { "if-match": await fixture.owner.etag(`/clients/${edited}`) };
      const { status, text } = await fixture.owner.call("PATCH", `/clients/${edited}`, {
        body: fields,
        headers,
      });
      assert.ok(status === 200 || status === 400, text);
      return { isTaken: status === 200, said: text };
    },
    command: async (fields) =>
      await command([
        "clients",
        "create",
        "--preset",
        "web",
        "--kinds",
        "customer",
        ...flagsOf({ ...whole, ...fields }),
      ]),
    "command, editing": async (fields) => await command(["clients", "edit", edited, ...flagsOf(fields)]),
    pages: async (fields) =>
      await post("/clients/new?preset=web", "/clients/new/web", { ...whole, ...kinds, ...fields }),
    "pages, editing": async (fields) =>
      await post(`/clients/${edited}/edit`, `/clients/${edited}/edit`, { ...whole, ...kinds, ...fields }),
  };
  return {
    fixture,
    command,
    configuration,
    post,
    page: (path) => browser.visit(`${fixture.issuer}/admin${path}`),
    at: async (door, fields) => await doors[door](fields),
    close: () => fixture.close(),
  };
}

async function owner(fixture: AdminFixture): Promise<UserAgent> {
  const [id, person] = [anId(), fixture.stranger()];
  await register(fixture, { id: asOrganizationId(id), kind: "operator" }, [
    { id: `p-${id}`, email: `${id}@contoso.example` },
  ]);
  await fixture.owner.done("PUT", `/profiles/p-${id}/admin-role`, { body: { role: "owner" } });
  await bindTo(fixture, person, `p-${id}`);
  const browser = fixture.browser();
  const page = await signIn(
    browser,
    { url: new URL(`${fixture.issuer}/admin`), codeVerifier: "", state: "", nonce: "" },
    person,
  );
  assert.equal(page.status, 200, page.text);
  assert.ok(page.url.pathname.startsWith("/admin"), page.url.href);
  return browser;
}
