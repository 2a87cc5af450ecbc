/**
 * `liaison copy` as an operator meets it: 100,000 profiles, tokens that outlive the move, a copy that is cut
 * short.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { pino } from "pino";
import { type App, createApp } from "../../src/app.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { LiaisonError } from "../../src/errors.ts";
import { openStore } from "../../src/storage/open.ts";
import { type Liaison, linkByMail, people, register, signIn, startLiaison } from "../support/liaison.ts";
import { TestPortal } from "../support/portal.ts";
import { type TestDatabase, testDatabase, withClient } from "../support/test-database.ts";

const profiles = 100_000;
const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));
const address = "ann@northwind.example";

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

describe("liaison copy", () => {
  let liaison: Liaison;
  let place: TestDatabase;
  let config: string;
  let refreshToken: string;
  let idToken: string;
  let subject: string;
  const file = () => liaison.config.storage.sqlite?.file ?? "";

  before(async () => {
    liaison = await startLiaison({ embedded: true });
    place = await testDatabase();
    await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "p-ann", email: address }]);
    const { issuer } = liaison;
    const portal = await TestPortal.connect({
      ...liaison.customerSource.options,
      issuer,
      scope: "openid profile organization offline_access",
    });
    const started = await portal.start({ prompt: "consent" });
    const end = await linkByMail(liaison, liaison.browser(), started, people.ann, address);
    const tokens = await portal.exchange(end.url, started);
    refreshToken = tokens.refresh_token ?? assert.fail("no refresh token");
    idToken = tokens.id_token ?? assert.fail("no ID token");
    subject = tokens.claims()?.sub ?? "";
    await liaison.app.close();
    multiply(file());
    config = join(liaison.dataDir, "copy.yaml");
    await writeFile(
      config,
      JSON.stringify({ ...liaison.config, storage: undefined, portals: [], upstreams: [upstream] }),
    );
  });
  after(async () => {
    await place?.drop();
    if (config !== undefined) await rm(config, { force: true });
    await liaison?.close();
  });

  const upstream = {
    id: "fabrikam",
    name: "F",
    issuer: "http://localhost:1",
    client_id: "a",
    client_secret: "b",
  };

  /** Runs the command; `killAfterMs` ends it in the middle. */
  async function copy(flags: string[], killAfterMs?: number): Promise<Run> {
    const child = spawn(process.execPath, [bin, "copy", "--config", config, "--from", file(), ...flags]);
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk;
    });
    const timer =
      killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    const [code] = await once(child, "close");
    clearTimeout(timer);
    return { code, ...output };
  }

  const target = () => ["--to", place.url, "--database", place.database];

  it("killed in the middle, leaves a database that no broker takes, and goes on when run again", async () => {
    const killed = await copy(target(), 4000);
    assert.equal(killed.code, null, `it had ended before: ${killed.stdout}${killed.stderr}`);
    const { drop: _drop, ...mongodb } = place;
    await assert.rejects(
      openStore({ mongodb, encryptionKey: liaison.config.encryption_key }),
      (error) => error instanceof LiaisonError && /copy was cut short|liaison migrate/.test(error.message),
    );
    const finished = await copy([...target(), "--json"]);
    assert.equal(finished.code, 0, finished.stderr);
    const report = JSON.parse(finished.stdout) as { complete: boolean; counts: Record<string, number> };
    assert.equal(report.complete, true);
    assert.equal(report.counts["profiles"], profiles + 1);
    assert.equal(report.counts["linkRequests"], profiles / 10 + 1);
    const database = new DatabaseSync(file(), { readOnly: true });
    const bound = database.prepare("SELECT count(*) AS n FROM profiles WHERE account_id IS NOT NULL").get()?.[
      "n"
    ];
    database.close();
    const there = await withClient(place.url, (client) =>
      client
        .db(place.database)
        .collection("profiles")
        .countDocuments({ accountId: { $gt: "" } }),
    );
    assert.equal(there, Number(bound));
    assert.ok(there > profiles / 2, "bindings are among it");
  });

  it("a database that isn't empty is refused, and nothing in it changed", async () => {
    const again = await copy(target());
    assert.equal(again.code, 1);
    assert.match(again.stderr, /isn't empty/);
  });

  it("calls that name no place say what is missing", async () => {
    const child = spawn(process.execPath, [bin, "copy", "--config", config]);
    const [code] = await once(child, "close");
    assert.equal(code, 2);
  });

  it("afterwards an earlier ID token verifies, an earlier refresh token works, people sign in", async () => {
    const { drop: _drop, ...mongodb } = place;
    const store = await openStore({ mongodb, encryptionKey: liaison.config.encryption_key });
    let app: App | undefined;
    try {
      const logger = pino({ level: "silent" });
      app = await createApp({
        config: { ...liaison.config, storage: { mongodb } },
        store,
        clock: liaison.clock,
        logger,
      });
      await app.listen();
      const jwks = (await (await fetch(`${liaison.issuer}/jwks`)).json()) as JSONWebKeySet;
      const verified = await jwtVerify(idToken, createLocalJWKSet(jwks), { issuer: liaison.issuer });
      assert.equal(verified.payload.sub, subject);
      const portal = await TestPortal.connect({ ...liaison.customerSource.options });
      const refreshed = await portal.refresh(refreshToken);
      const claims = await portal.userinfo(refreshed.access_token, subject);
      assert.equal(claims["sub"], subject);
      const started = await portal.start();
      const end = await signIn(liaison.browser(), started, people.ann);
      assert.equal((await portal.exchange(end.url, started)).claims()?.sub, subject);
    } finally {
      await app?.close();
      await store.close();
    }
  });
});

/**
 * Fills the closed file: organizations, profiles (most of them bound), a pending link request for every
 * tenth, audit.
 */
function multiply(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`
    BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${profiles})
    INSERT INTO organizations SELECT 'org-' || i, 'Org ' || i, 'AC-' || i, 'customer', 'active',
      1900000000000, 1
    FROM n WHERE i % 20 = 0;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${profiles})
    INSERT INTO accounts SELECT 'account-' || i, 1700000000000 + i FROM n WHERE i % 3 > 0;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${profiles})
    INSERT INTO identities (
      issuer, subject, upstream_id, account_id, email, display_name, created_at, last_sign_in_at)
    SELECT 'https://issuer.example', 'subject-' || i, 'fabrikam', 'account-' || i, NULL, 'Nø ' || i,
      1700000000000, 1700000000000 + i FROM n WHERE i % 3 > 0;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${profiles})
    INSERT INTO profiles SELECT 'profile-' || i, 'org-' || ((i + 19) / 20 * 20), 'P' || i || '@x.example',
      'p' || i || '@x.example', 1 + i % 4, 'Person ' || i, '["user","Søg"]', i % 7 > 0, NULL,
      iif(i % 3 > 0, 'account-' || i, NULL), iif(i % 3 > 0, 1700000000000, NULL), iif(i % 3 > 0, 1, NULL),
        NULL FROM n;
    INSERT INTO link_requests SELECT 'request-' || p.id, (SELECT id FROM inquiries LIMIT 1), 'hash-' || p.id,
      'link_profile',
      'https://issuer.example', 'subject-x', 'fabrikam', 'account-x', NULL, 'Name', p.id, 1, 'pending',
        1700000000000,
      1700000900000, NULL, p.organization_id FROM profiles p WHERE p.id LIKE 'profile-%0';
    INSERT INTO audit_events SELECT 'event-' || p.id, 1700000000000, 'profile.changed', 'command:import',
      p.id,
      p.organization_id, NULL, NULL, '{"created":true}', NULL, NULL FROM profiles p WHERE p.id LIKE
        'profile-%';
    COMMIT;
  `);
  database.close();
}
