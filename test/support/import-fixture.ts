/** CSV files to import, a deployment to import them into, and what the directory holds afterwards. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { COLUMNS, type Column } from "../../src/admin/import/columns.ts";

export const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));

const killer = new URL("./kill-at-statement.ts", import.meta.url).href;

export type Values = Record<Column, string>;

/** A row that is good, with what a case changes about it. */
export function aRow(overrides: Partial<Values> = {}): Values {
  return {
    organization_id: "org-1",
    organization_name: 'Contoso "Nordic", A/S',
    account_number: "C-0047",
    kind: "partner",
    organization_status: "enabled",
    plan_status: "suspended",
    plan_expires: "2027-03-28",
    profile_id: "profile-1",
    email: "Anna.Berg@Contoso.example",
    name: "Anna Berg, økonomi",
    roles: "billing|Søg & ret",
    profile_status: "active",
    ...overrides,
  };
}

export interface CsvStyle {
  delimiter?: "," | ";";
  lineEnd?: string;
  mark?: boolean;
  columns?: readonly string[];
}

/** The text of a file. Every value is put in quotation marks that needs it. */
export function csvOf(rows: readonly Partial<Values>[], style: CsvStyle = {}): string {
  const { delimiter = ",", lineEnd = "\n", mark = false, columns = COLUMNS } = style;
  const quote = (value: string) => (/[",;\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = rows.map((row) =>
    columns.map((column) => quote(row[column as Column] ?? "")).join(delimiter),
  );
  return `${mark ? "\ufeff" : ""}${[columns.join(delimiter), ...lines].join(lineEnd)}${lineEnd}`;
}

/**
 * Row `index` (from 0) of a directory of any size: ten profiles to an organization, not all in one place of
 * the file.
 */
export function rowOf(index: number, rows: number): Values {
  const organizations = Math.max(1, Math.floor(rows / 10));
  const organization = index % organizations;
  return aRow({
    organization_id: `org-${organization}`,
    organization_name: `Organization ${organization}, København`,
    account_number: `C-${organization}`,
    kind: organization % 3 === 0 ? "partner" : "customer",
    organization_status: organization % 50 === 49 ? "disabled" : "enabled",
    plan_expires: `20${27 + (organization % 9)}-0${1 + (organization % 9)}-15`,
    profile_id: `profile-${index}`,
    email: `person.${index}@org-${organization}.example`,
    name: `Person ${index}`,
    profile_status: index % 20 === 19 ? "disabled" : "active",
  });
}

/** Writes a file of so many rows without holding it in memory. */
export async function writeRows(file: string, rows: number): Promise<void> {
  async function* text() {
    yield csvOf([]);
    for (let index = 0; index < rows; index += 1)
      yield csvOf([rowOf(index, rows)])
        .split("\n")
        .slice(1)
        .join("\n");
  }
  await pipeline(Readable.from(text()), createWriteStream(file));
}

export interface Deployment {
  folder: string;
  config: string;
  database: string;
  /** Runs `liaison import` there with these words. */
  import(words: string[], options?: { input?: string | Buffer; killAtStatement?: number }): Promise<Ended>;
  /**
   * What the directory, the audit and the mails to be sent say, without times and ids of events and mails.
   */
  contents(): { organizations: unknown[]; profiles: unknown[]; events: unknown[]; mails: unknown[] };
  remove(): Promise<void>;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A configuration in a folder of its own, with a database yet to be made. */
export async function aDeployment(): Promise<Deployment> {
  const folder = await mkdtemp(join(tmpdir(), "liaison-import-"));
  const config = join(folder, "liaison.yaml");
  const database = join(folder, "liaison.db");
  await writeFile(
    config,
    `issuer: http://localhost:4400
encryption_key: ${Buffer.alloc(32, 7).toString("base64")}
storage: { sqlite: { file: liaison.db } }
deployment: { name: Test, support_email: support@example.com, time_zone: Europe/Copenhagen }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
  );
  return {
    folder,
    config,
    database,
    async import(words, { input, killAtStatement } = {}) {
      const killing = killAtStatement === undefined ? [] : ["--import", killer];
      const env = { PATH: process.env["PATH"], KILL_AT_STATEMENT: String(killAtStatement) };
      const command = [...killing, bin, "import", ...words, "--config", config];
      const child = spawn(process.execPath, command, { cwd: folder, env });
      const output = { stdout: "", stderr: "" };
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output.stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        output.stderr += text;
      });
      child.stdin.on("error", () => undefined).end(input ?? "");
      const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
      return { code, signal, ...output };
    },
    contents() {
      const opened = new DatabaseSync(database, { readOnly: true });
      try {
        const all = (sql: string) => opened.prepare(sql).all();
        return {
          organizations: all("SELECT * FROM organizations ORDER BY id"),
          profiles: all("SELECT * FROM profiles ORDER BY id"),
          events: all(`SELECT action, actor, profile_id, organization_id, detail FROM audit_events
            ORDER BY organization_id, profile_id, action, detail`),
          mails: all("SELECT kind, recipient FROM outbox ORDER BY recipient, kind"),
        };
      } finally {
        opened.close();
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
