/**
 * The accounts of Fabrikam ID, the demo's consumer identity provider. Seeded people are always there, under
 * the same subject at every start; accounts that somebody creates, and passwords that somebody changes, are
 * kept in one JSON file.
 */

import { createHash, randomUUID, scrypt, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { writeFileWhole } from "./folder.ts";

export interface SeedAccount {
  username: string;
  password: string;
  name: string;
  email: string;
}

const storedAccount = z.object({
  username: z.string(),
  subject: z.string(),
  name: z.string(),
  email: z.string(),
  salt: z.string(),
  passwordHash: z.string(),
});
type StoredAccount = z.infer<typeof storedAccount>;
export type UpstreamAccount = Omit<StoredAccount, "salt" | "passwordHash">;

const deriveKey = promisify<string, string, number, Buffer>(scrypt);

async function hashPassword(password: string): Promise<Pick<StoredAccount, "salt" | "passwordHash">> {
  const salt = randomUUID();
  return { salt, passwordHash: (await deriveKey(password, salt, 32)).toString("base64url") };
}

/**
 * The subject that Fabrikam ID gives a seeded account: the same at every start, and no hint of the username.
 */
export function seededSubject(username: string): string {
  return createHash("sha256").update(`fabrikam-id:${username}`).digest("base64url").slice(0, 22);
}

/** Usernames are compared without regard to case and surrounding space. */
function usernameKey(username: string): string {
  return username.trim().toLowerCase();
}

export class UpstreamAccounts {
  readonly #file: string | undefined;
  readonly #byUsername: Map<string, StoredAccount>;

  private constructor(file: string | undefined, accounts: StoredAccount[]) {
    this.#file = file;
    this.#byUsername = new Map(accounts.map((account) => [usernameKey(account.username), account]));
  }

  /**
   * Opens the accounts: seeds first, laid over by what `file` has kept. Without a file nothing outlives the
   * process.
   */
  static async open(seeds: SeedAccount[], file?: string): Promise<UpstreamAccounts> {
    const seeded = seeds.map(async ({ username, password, name, email }) => {
      return { username, subject: seededSubject(username), name, email, ...(await hashPassword(password)) };
    });
    const stored = file === undefined ? [] : await readAccounts(file);
    return new UpstreamAccounts(file, [...(await Promise.all(seeded)), ...stored]);
  }

  /** The account of these credentials; `login` is a username or an email address. */
  async authenticate(login: string, password: string): Promise<UpstreamAccount | undefined> {
    const account = this.#find(login);
    if (account === undefined) return undefined;
    const given = await deriveKey(password, account.salt, 32);
    return timingSafeEqual(given, Buffer.from(account.passwordHash, "base64url")) ? account : undefined;
  }

  /** Creates an account, or returns undefined if the username is taken. */
  async create(account: SeedAccount): Promise<UpstreamAccount | undefined> {
    const key = usernameKey(account.username);
    const { name, email, password } = account;
    const secret = await hashPassword(password);
    if (this.#byUsername.has(key)) return undefined;
    const created = { username: account.username.trim(), subject: randomUUID(), name, email, ...secret };
    this.#byUsername.set(key, created);
    await this.#keep();
    return created;
  }

  /** Gives an existing account a new password. False if there is no such account. */
  async resetPassword(login: string, password: string): Promise<boolean> {
    const account = this.#find(login);
    if (account === undefined) return false;
    Object.assign(account, await hashPassword(password));
    await this.#keep();
    return true;
  }

  bySubject(subject: string): UpstreamAccount | undefined {
    return this.#all().find((account) => account.subject === subject);
  }

  /** What to put into the username field for a `login_hint`: a username, an email address or a subject. */
  usernameFor(hint: string): string {
    return (this.#find(hint) ?? this.bySubject(hint))?.username ?? hint;
  }

  #all(): StoredAccount[] {
    return [...this.#byUsername.values()];
  }

  #find(login: string): StoredAccount | undefined {
    const key = usernameKey(login);
    return this.#byUsername.get(key) ?? this.#all().find((account) => account.email.toLowerCase() === key);
  }

  async #keep(): Promise<void> {
    if (this.#file !== undefined) await writeFileWhole(this.#file, JSON.stringify(this.#all(), null, 2));
  }
}

async function readAccounts(file: string): Promise<StoredAccount[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  return z.array(storedAccount).parse(JSON.parse(text));
}
