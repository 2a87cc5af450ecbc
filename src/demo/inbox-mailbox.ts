/**
 * The mails that the demo's inbox has received: the newest few hundred, kept in one JSON file over a restart.
 */

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileWhole } from "./folder.ts";

const message = z.object({
  id: z.string(),
  /** One plain address. */
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  /** ISO 8601, UTC. */
  received_at: z.string(),
});
export type InboxMessage = z.infer<typeof message>;

const CAPACITY = 500;

export class Mailbox {
  readonly #file: string | undefined;
  #messages: InboxMessage[];
  /** Writes go one after the other, each with what is there when its turn comes. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string | undefined, messages: InboxMessage[]) {
    this.#file = file;
    this.#messages = messages;
  }

  static async open(file?: string): Promise<Mailbox> {
    return new Mailbox(file, file === undefined ? [] : await readMessages(file));
  }

  /** Newest first. */
  list(): readonly InboxMessage[] {
    return this.#messages;
  }

  find(id: string): InboxMessage | undefined {
    return this.#messages.find((candidate) => candidate.id === id);
  }

  /** Keeps a mail; resolves once it would outlive the process. */
  async add(received: Omit<InboxMessage, "id">): Promise<void> {
    this.#messages = [{ id: randomUUID(), ...received }, ...this.#messages].slice(0, CAPACITY);
    const file = this.#file;
    if (file === undefined) return;
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(() => writeFileWhole(file, JSON.stringify(this.#messages)));
    await this.#writing;
  }
}

async function readMessages(file: string): Promise<InboxMessage[]> {
  try {
    return z.array(message).parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
