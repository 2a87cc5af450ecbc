/** The real application beside a mail server that does as a test says, and a look into its outbox. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type BadSmtp, startBadSmtp } from "./bad-smtp.ts";
import { closeAll } from "./closing.ts";
import {
  type Liaison,
  type LiaisonOptions,
  people,
  register,
  signIn,
  startLiaison,
  type TestPerson,
} from "./liaison.ts";
import type { Page, UserAgent } from "./user-agent.ts";

export interface OutboxRow {
  recipient: string;
  state: string;
  attempts: number;
  created: number;
  next: number;
  error: string | null;
  reply: string | null;
}

export interface MailFixtureOptions extends Pick<LiaisonOptions, "config" | "crowd" | "decorate" | "logger"> {
  /** Laid over the settings of the mail server. */
  smtp?: object;
  tls?: { key: string; cert: string };
}

export class MailFixture {
  readonly smtp: BadSmtp;
  readonly liaison: Liaison;

  private constructor(smtp: BadSmtp, liaison: Liaison) {
    this.smtp = smtp;
    this.liaison = liaison;
  }

  static async start({
    smtp: settings,
    tls,
    config,
    ...options
  }: MailFixtureOptions = {}): Promise<MailFixture> {
    const smtp = await startBadSmtp(tls);
    const server = { host: "127.0.0.1", port: smtp.port, security: "none", timeout_seconds: 10, ...settings };
    const liaison = await startLiaison({
      ...options,
      config: (base) => {
        const whole = { ...base, mail: { ...(base["mail"] as object), smtp: server } };
        return config?.(whole) ?? whole;
      },
    });
    return new MailFixture(smtp, liaison);
  }

  async close(): Promise<void> {
    await closeAll([() => this.smtp.close(), () => this.liaison.close()]);
  }

  /** Registers one profile at each address. */
  async profiles(addresses: string[]): Promise<void> {
    const profiles = addresses.map((email, index) => ({ id: `p-${index}-${addresses.length}`, email }));
    await register(this.liaison, { id: asOrganizationId(`org-${addresses.length}`) }, profiles);
  }

  /** A person on the page that asks for the registered address. */
  async linkStep(person: TestPerson = people.ann): Promise<{ browser: UserAgent; page: Page }> {
    const browser = this.liaison.browser();
    return { browser, page: await signIn(browser, await this.liaison.customerSource.start(), person) };
  }

  /** The outbox as it is stored, oldest first. */
  outbox(): OutboxRow[] {
    const database = new DatabaseSync(this.liaison.config.storage.sqlite?.file ?? "", { readOnly: true });
    try {
      const rows = database.prepare(
        `SELECT recipient, state, attempts, created_at AS created, next_attempt_at AS next, last_error AS
          error,
           server_reply AS reply, lease_worker FROM outbox ORDER BY rowid`,
      );
      // One that is being sent is neither here nor there.
      return rows.all().filter((row) => row["lease_worker"] === null) as unknown as OutboxRow[];
    } finally {
      database.close();
    }
  }

  /** Waits until the outbox is so; while a mail is being sent it is not in these rows. */
  async until(what: string, isSo: (rows: OutboxRow[]) => boolean): Promise<OutboxRow[]> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const rows = this.outbox();
      if (isSo(rows)) return rows;
      assert.ok(Date.now() < deadline, `${what}: ${JSON.stringify(rows)}`);
      await pause(20);
    }
  }
}
