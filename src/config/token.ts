/**
 * The token with which commands call a broker elsewhere. It stands beside the configuration: whoever
 * administers from another machine has none.
 */

import { readFile } from "node:fs/promises";
import { LiaisonError } from "../errors.ts";
import { type Environment, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE } from "./environment.ts";
import { unreadable } from "./faults.ts";

export interface Token {
  token: string;
  /** Where it was read, for messages. */
  source: string;
}

/**
 * Reads the token: of the file given, else of the environment's LIAISON_TOKEN, else of the file that
 * LIAISON_TOKEN_FILE names.
 * @throws LiaisonError `usage`, with what to do, when there is none
 */
export async function readToken(options: { file: string | undefined; env?: Environment }): Promise<Token> {
  const env = options.env ?? process.env;
  const path = options.file ?? (env[TOKEN_VARIABLE] ? undefined : env[TOKEN_FILE_VARIABLE]);
  const source = options.file ?? (path === undefined ? TOKEN_VARIABLE : TOKEN_FILE_VARIABLE);
  const token = (path === undefined ? (env[TOKEN_VARIABLE] ?? "") : await read(path, source)).trim();
  if (/^[\w.~+/=-]{20,512}$/.test(token)) return { token, source };
  const how = "An API key is made by: liaison keys create";
  if (token !== "" || path !== undefined) {
    throw LiaisonError.usage(
      `${source} holds no token: it takes an API key, or a machine's access token. ${how}`,
    );
  }
  throw LiaisonError.usage(
    `--url needs a token: --token-file FILE, or ${TOKEN_VARIABLE} in the environment. ${how}`,
  );
}

async function read(path: string, source: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw LiaisonError.usage(`The file of the token (${source}): ${unreadable(error, "it")}.`, error);
  }
}
