/** Recipes filled in as docs/portals/recipes.md shows them, and as programs that tests run. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ClientSettings, clientSettings } from "../../src/admin/client-settings.ts";
import { recipes } from "../../src/admin/recipes/recipes.ts";
import { asClientId } from "../../src/domain/ids.ts";
import type { Client } from "../../src/domain/records.ts";

const documentedOrigin = "https://portal.example";

/** The client app `portal` of the documentation, registered as a recipe wants it. */
export function documentedClient(name: string): Client {
  const recipe = recipes.find((one) => one.name === name) ?? assert.fail(`no recipe ${name}`);
  const { redirect, postLogout, backchannel } = recipe.paths;
  const [preset] = recipe.presets;
  const isPublic = preset === "single_page" || preset === "native";
  const common = {
    id: asClientId("portal"),
    name: "Portal",
    homeUrl: `${documentedOrigin}/`,
    aboutUrl: null,
    secret: isPublic ? null : "the-secret-of-at-least-32-characters",
    previousSecret: null,
    policy: { kinds: ["customer" as const], planRequired: false, roles: [] },
    claimsInIdToken: false,
    managedBy: "admin" as const,
  };
  if (preset === "machine") {
    return {
      ...common,
      metadata: { grant_types: ["client_credentials"], scope: "admin:read", response_types: [] },
    };
  }
  return {
    ...common,
    metadata: {
      redirect_uris: [documentedOrigin + redirect],
      post_logout_redirect_uris: postLogout === undefined ? [] : [documentedOrigin + postLogout],
      ...(backchannel === undefined ? {} : { backchannel_logout_uri: documentedOrigin + backchannel }),
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: isPublic ? "none" : "client_secret_basic",
    },
  };
}

const languages: Record<string, string> = {
  cfg: "toml",
  conf: "apache",
  cs: "csharp",
  env: "sh",
  html: "html",
  js: "js",
  json: "json",
  local: "sh",
  mjs: "js",
  py: "python",
  sh: "sh",
  ts: "ts",
  yaml: "yaml",
};

/** Each recipe as the documentation has it: a fenced block a file, below the file's name. */
export function recipesInDocs(): { name: string; blocks: string }[] {
  return recipes.map(({ name }) => {
    const client = documentedClient(name);
    const settings = clientSettings(client, {
      issuer: "https://id.example.com",
      secret: client.secret,
      recipe: name,
    });
    const files = settings.recipes.flatMap((one) => one.files);
    const blocks = files.map(({ file, text }) => {
      const language = languages[file.split(".").at(-1) ?? ""] ?? assert.fail(`no language for ${file}`);
      return `\`${file}\`:\n\n\`\`\`${language}\n${text}\`\`\``;
    });
    return { name, blocks: blocks.join("\n\n") };
  });
}

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface RunningRecipe {
  close(): Promise<void>;
}

/** The files of one recipe. */
export function filesOf(settings: Pick<ClientSettings, "recipes">, name: string): Record<string, string> {
  const recipe = settings.recipes.find((one) => one.name === name) ?? assert.fail(`no recipe ${name}`);
  return Object.fromEntries(recipe.files.map(({ file, text }) => [file, text]));
}

/**
 * Writes a recipe's files as they are into a folder beside the installed packages, starts the program with
 * its own environment file, and waits until it answers.
 * @param command what the recipe's first line says it is started by
 */
export async function runRecipe(
  files: Record<string, string>,
  { command, port, env = {} }: { command: [string, ...string[]]; port: number; env?: Record<string, string> },
): Promise<RunningRecipe> {
  const folder = await mkdtemp(join(tmpdir(), "liaison-recipe-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(folder, file), file === "portal.env" ? ownValues(text, port) : text);
  }
  const [program, ...words] = command;
  const child = spawn(program, words, {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: "pipe",
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
  const close = async () => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await answers(`http://localhost:${port}/`, child, () => said);
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a developer fills in: the port, and the portal's own secret. */
function ownValues(text: string, port: number): string {
  const secret = randomBytes(32).toString("hex");
  return text.replace("PORT=3000", `PORT=${port}`).replace(/^((?:SESSION_)?SECRET)=$/m, `$1=${secret}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

async function answers(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let turn = 0; turn < 300; turn += 1) {
    if (child.exitCode !== null) assert.fail(`the recipe ended: ${said()}`);
    try {
      await fetch(url, { redirect: "manual" });
      return;
    } catch {
      await pause(100);
    }
  }
  assert.fail(`the recipe doesn't answer: ${said()}`);
}

/** A file of the repository. */
export const readDocument = async (path: string): Promise<string> => await readFile(join(root, path), "utf8");
