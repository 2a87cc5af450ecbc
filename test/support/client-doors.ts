/**
 * Every way by which a client app is registered or edited, each tried for real: what comes of it, and what is
 * said.
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Logger } from "pino";
import { administrationCommands } from "../../src/cli/administration/commands.ts";
import { configCheckCommand } from "../../src/cli/config-check.ts";
import { run } from "../../src/cli/run.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type AdminScene, anId, clientBody, makeClient, startAdminScene } from "./admin-scene.ts";
import { bindTo } from "./attack-kit.ts";
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
  scene: AdminScene;
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
  const scene = await startAdminScene({
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
  const browser = await owner(scene);
  const { id: edited } = await makeClient(scene, "web");
  const file = join(scene.dataDir, "liaison.yaml");
  await writeFile(file, JSON.stringify(written));
  const commands = [...administrationCommands(scene.clock), configCheckCommand];

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
    const tried = join(scene.dataDir, "tried.yaml");
    await writeFile(tried, JSON.stringify({ ...written, ...sections }));
    return await say(["config", "check", tried]);
  }

  async function post(page: string, form: string, fields: ClientTry): Promise<Posted> {
    const shown = await browser.visit(`${scene.issuer}/admin${page}`);
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
    const answer = await browser.once(`${scene.issuer}/admin${form}`, { method: "POST", body });
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
      const { status, text } = await scene.owner.call("POST", "/clients", {
        body: { ...clientBody("web"), ...fields },
      });
      assert.ok(status === 201 || status === 400, text);
      return { isTaken: status === 201, said: text };
    },
    "api, editing": async (fields) => {
      const headers = { "if-match": await scene.owner.etag(`/clients/${edited}`) };
      const { status, text } = await scene.owner.call("PATCH", `/clients/${edited}`, {
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
    scene,
    command,
    configuration,
    post,
    page: (path) => browser.visit(`${scene.issuer}/admin${path}`),
    at: async (door, fields) => await doors[door](fields),
    close: () => scene.close(),
  };
}

async function owner(scene: AdminScene): Promise<UserAgent> {
  const [id, person] = [anId(), scene.stranger()];
  await register(scene, { id: asOrganizationId(id), kind: "operator" }, [
    { id: `p-${id}`, email: `${id}@contoso.example` },
  ]);
  await scene.owner.done("PUT", `/profiles/p-${id}/admin-role`, { body: { role: "owner" } });
  await bindTo(scene, person, `p-${id}`);
  const browser = scene.browser();
  const page = await signIn(
    browser,
    { url: new URL(`${scene.issuer}/admin`), codeVerifier: "", state: "", nonce: "" },
    person,
  );
  assert.equal(page.status, 200, page.text);
  assert.ok(page.url.pathname.startsWith("/admin"), page.url.href);
  return browser;
}
