/**
 * No turn of the loop that serves requests is long, whatever is done behind and beside them: with very many
 * rows of each kind that all workers have to do with, an import beside, and every list, search and export of
 * the administration called.
 *
 * A turn is measured by what this thread used of the processor, so that a busy machine changes nothing. What
 * isn't the service's is in other threads and processes; its code has been run before it is measured.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { operations } from "../../src/admin/definitions/operations.ts";
import { createOfflineAdministration } from "../../src/admin/offline-administration.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { openStore } from "../../src/storage/open.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type Closer, closeAll } from "../support/closing.ts";
import { FULL, fillDatabase } from "../support/full-database.ts";
import { bin, writeRows } from "../support/import-fixture.ts";
import { type Liaison, people, register, signInUpstream, startLiaison } from "../support/liaison.ts";
import { type Outside, startOutside } from "../support/outside.ts";
import { TurnProbe } from "../support/turn-probe.ts";

const count = 50_000;
/** How much of the processor a turn may use, in milliseconds. */
const mostMs = 50;

const lists = [
  "/organizations",
  "/organizations?enabled=false",
  "/organizations?kind=customer&enabled=false",
  "/organizations?q=organization",
  "/profiles",
  "/profiles?q=person",
  "/profiles?q=person&enabled=false",
  "/profiles?q=registered.example",
  "/profiles?organization_id=org-1",
  `/profiles?account_id=${FULL.account}`,
  "/profiles?enabled=false",
  "/accounts",
  "/accounts?q=person",
  "/administrators",
  `/accounts/${FULL.account}`,
  "/grants",
  `/grants?profile_id=${FULL.profile}`,
  `/grants?account_id=${FULL.account}`,
  `/accounts/${FULL.account}/sessions`,
  `/accounts/${FULL.account}/sessions?limit=200`,
  "/sessions/uid-live-7",
  "/grants?client_id=customersource",
  "/grants?client_id=partnersource",
  "/inquiries",
  `/inquiries?email=${FULL.email}&limit=25`,
  `/inquiries?account_id=${FULL.account}`,
  `/inquiries/${FULL.inquiry}`,
  "/inquiries/request-7",
  "/mail",
  "/mail?state=held",
  "/mail?state=sent",
  "/figures?range=24h",
  "/figures?range=7d",
  "/figures?range=30d",
  "/attention",
  "/audit",
  "/audit?organization_id=org-1",
  "/audit?actor=command:import&action=client.created",
  `/audit?account_id=${FULL.account}&profile_id=p-9`,
  "/clients",
  "/clients/customersource",
  "/clients/customersource/impact",
  "/api-keys",
  "/upstreams",
  "/signing-keys",
  "/simulation?client_id=customersource&profile_id=p-1",
];
const pages = [
  "",
  "?range=30d",
  "/clients",
  "/organizations",
  "/organizations/org-1",
  "/people",
  "/people?q=person",
  "/accounts",
  `/accounts/${FULL.account}`,
  "/links",
  `/links?email=${FULL.email}`,
  `/links/${FULL.inquiry}`,
  `/accounts/${FULL.account}/end`,
  `/accounts/${FULL.account}/end/uid-live-7`,
  "/mail",
  "/mail?state=held",
  "/why?q=person",
  "/administrators",
  "/keys",
  "/audit",
  "/audit/export.csv",
];

/** A service on a file that was filled before, with administrators. */
interface Filled {
  liaison: Liaison;
  file: string;
  /** How much waited for each worker before it was started. */
  before: Record<string, number>;
  headers: { api: Record<string, string>; pages: Record<string, string> };
}

describe("turns of the requests' loop", () => {
  const closers: Closer[] = [];
  const probe = new TurnProbe();
  let outside: Outside;
  before(async () => {
    outside = await startOutside();
    closers.push(() => outside.close());
  });
  after(() => closeAll(closers));

  async function startFilled(rows: number): Promise<Filled> {
    const folder = await mkdtemp(join(tmpdir(), "liaison-turns-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "liaison.db");
    const encryptionKey = randomBytes(32).toString("base64");
    await (await openStore({ sqlite: { file }, encryptionKey })).close();
    await fillDatabase({ file, count: rows, now: Date.now(), encryptionKey });
    const before = waiting(file);
    const liaison = await startLiaison({
      embedded: true,
      dataDir: folder,
      isThreaded: true,
      config: (base) => {
        const mail = base["mail"] as { smtp: object };
        const smtp = { ...mail.smtp, port: outside.smtpPort };
        return { ...base, encryption_key: encryptionKey, mail: { ...mail, smtp }, log: { level: "fatal" } };
      },
    });
    closers.push(() => liaison.close());
    return { liaison, file, before, headers: await administrators(liaison) };
  }

  /** An owner with an API key, who is signed in to the pages, too. */
  async function administrators(liaison: Liaison): Promise<Filled["headers"]> {
    const { service, principal } = await createOfflineAdministration(
      { ...liaison, checksOutputs: true },
      "turns",
    );
    const { output } = await service.call(operations.apiKeys.create, principal, {
      name: "turns",
      scopes: [...principal.scopes],
    });
    const { key } = output;
    await register(liaison, { id: asOrganizationId("operator"), kind: "operator" }, [
      { id: "p-ann", email: "ann@operator.example" },
    ]);
    await bindTo(liaison, people.ann, "p-ann");
    await service.call(operations.administrators.setRole, principal, { id: "p-ann", role: "owner" });
    const browser = liaison.browser();
    let page = await browser.visit(`${liaison.issuer}/admin`);
    if (page.body.includes('name="upstream"')) page = await browser.press(page, /Fabrikam ID/);
    page = await signInUpstream(browser, page, people.ann);
    assert.match(page.heading, /Overview/, page.text);
    return {
      api: { authorization: `Bearer ${key}` },
      pages: { cookie: await browser.jar.getCookieString(`${liaison.issuer}/admin`) },
    };
  }

  async function visitAll({ liaison: { issuer }, headers }: Filled): Promise<void> {
    const asked = [
      ...lists.map((path) => ({ url: `${issuer}/admin/api/v1${path}`, headers: headers.api })),
      ...pages.map((path) => ({ url: `${issuer}/admin${path}`, headers: headers.pages })),
    ];
    for (const { url, headers: sent } of asked) {
      probe.during = url.slice(issuer.length);
      const { status, start: text } = await outside.call({ method: "GET", url, headers: sent });
      assert.equal(status, 200, `${url}: ${text}`);
    }
  }

  /** Asks for all of the audit to be verified, behind everything that is asked for next. */
  async function verifyAudit({ liaison: { issuer }, headers }: Filled): Promise<void> {
    const url = `${issuer}/admin/api/v1/audit/verifications`;
    const sent = { ...headers.api, "content-type": "application/json" };
    const { status, start: text } = await outside.call({ method: "POST", url, headers: sent, body: "{}" });
    assert.equal(status, 202, text);
  }

  /** Begins an import in a process of its own; what it returns waits for its end. */
  async function importBeside({ liaison, file }: Filled): Promise<() => Promise<void>> {
    const [csv, config] = [`${file}.csv`, `${file}.yaml`];
    await writeRows(csv, 3000);
    await writeFile(config, JSON.stringify(liaison.config));
    const importing = spawn(process.execPath, [bin, "import", csv, "--json", "--config", config], {
      stdio: "ignore",
    });
    const exited = once(importing, "exit");
    return async () => {
      const [code] = await exited;
      assert.equal(code, 0, "the import");
    };
  }

  it(`use at most ${mostMs} ms of the processor with ${count} rows of each kind`, async (context) => {
    // What runs for the first time is compiled.
    const small = await startFilled(500);
    for (let round = 0; round < 2; round += 1) await visitAll(small);
    const large = await startFilled(count);
    probe.start();
    await verifyAudit(large);
    const { before } = large;
    const imported = await importBeside(large);
    await visitAll(large);
    await imported();
    const longest = probe.stop();
    const after = waiting(large.file);
    const told = longest.map(({ ms, during }) => `${ms.toFixed(1)} ms (${during})`);
    context.diagnostic(`${probe.count} turns, the longest: ${told.join(", ")}`);
    context.diagnostic(`waiting: ${JSON.stringify(before)}, then ${JSON.stringify(after)}`);
    for (const [what, left] of Object.entries(after))
      assert.ok(left < (before[what] ?? 0), `${what}: nothing was done`);
    assert.ok((longest[0]?.ms ?? 0) <= mostMs, `${longest[0]?.ms} ms, ${longest[0]?.during}`);
  });
});

/** How much of what waits for each worker is left. */
function waiting(file: string): Record<string, number> {
  const database = new DatabaseSync(file, { readOnly: true });
  const left = (sql: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${sql}`).get()?.["n"]);
  const now = Date.now();
  const old = `expires_at < ${now - 2 * 24 * 3_600_000}`;
  const found = {
    audit: left("audit_events WHERE chain_seq IS NULL AND action = 'profile.changed'"),
    "held mails": left(`outbox WHERE state = 'held' AND due_at < ${now}`),
    mails: left("outbox WHERE state IN ('held', 'queued')"),
    "sign-outs": left("sign_outs"),
    invitations: left("profiles WHERE invited_at IS NOT NULL"),
    swept: left(`artifacts WHERE ${old}`) + left(`selections WHERE ${old}`),
  };
  database.close();
  return found;
}
