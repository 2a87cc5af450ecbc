/** What the demo does before it starts anything, and which logout tokens its portals believe. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { loadConfig } from "../../src/config/load.ts";
import { demoSecrets, prepareFolder } from "../../src/demo/folder.ts";
import { logoutTokenVerifier } from "../../src/demo/portal-logout.ts";
import { runDemo } from "../../src/demo/run.ts";
import { serveOnLoopback } from "../../src/demo/servers.ts";
import { demoConfig, demoConfigText, demoPorts } from "../../src/demo/settings.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "liaison-run-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a taken port is named, with the way out, and nothing is started or deleted", async (context) => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  context.after(() => blocker.close());
  const taken = (blocker.address() as AddressInfo).port;
  const data = join(folder, String(taken - 2));
  await prepareFolder(data, false);
  await writeFile(join(data, "kept"), "");

  const printed: string[] = [];
  const stdout = { write: (text: string) => printed.push(text) };
  const { signal } = new AbortController();
  const run = runDemo({ portBase: taken - 2, dataDir: folder, fresh: true, json: true, stdout, signal });
  await assert.rejects(run, (error: Error & { code?: string }) => {
    assert.equal(error.code, "port_taken");
    assert.match(error.message, new RegExp(`\\b${taken}\\b.*--port-base \\d+`, "s"));
    return true;
  });
  assert.deepEqual(printed, []);
  assert.deepEqual((await readdir(data)).sort(), ["kept", "liaison-demo.txt"]);
});

test("a port base out of range is refused", () => {
  for (const base of [0, 80, 65511, 4400.5, Number.NaN])
    assert.throws(() => demoPorts(base), { code: "usage" });
  assert.deepEqual(Object.values(demoPorts(5000)), [5000, 5001, 5002, 5003, 5004, 5025]);
});

describe("the data folder", () => {
  test("that can't be made or written is said so, at once", async () => {
    await writeFile(join(folder, "file"), "");
    // Where mkdir's own recursion never ends.
    for (const dataDir of [join(folder, "file"), join(folder, "file", "deep", "er"), "/proc/none/deep/er"]) {
      const stdout = { write: () => assert.fail("it started") };
      const { signal } = new AbortController();
      const run = runDemo({ portBase: 20_310, dataDir, fresh: false, json: true, stdout, signal });
      await assert.rejects(run, (error: Error & { code?: string }) => {
        assert.equal(error.code, "usage", error.message);
        assert.match(
          error.message,
          /can't be written \(E[A-Z]+\)\. Name a folder of your own: npm run demo -- --data DIR/,
        );
        return true;
      });
    }
  });

  test("keeps its secrets to its owner and over a restart, and loses them when fresh", async () => {
    await prepareFolder(folder, false);
    const secrets = await demoSecrets(folder);
    await prepareFolder(folder, false);
    assert.deepEqual(await demoSecrets(folder), secrets);
    assert.equal(new Set(Object.values(secrets)).size, 4);
    assert.equal(Buffer.from(secrets.encryption_key, "base64").length, 32);
    await prepareFolder(folder, true);
    await assert.rejects(access(join(folder, "secrets.json")));
  });

  test("that isn't the demo's is never touched", async () => {
    await writeFile(join(folder, "thesis.txt"), "years of work");
    for (const fresh of [true, false]) {
      await assert.rejects(prepareFolder(folder, fresh), { code: "usage" });
    }
    assert.equal(await readFile(join(folder, "thesis.txt"), "utf8"), "years of work");
  });
});

test("the broker's configuration is a valid one, with both portals' policies", async () => {
  await prepareFolder(folder, false);
  const secrets = await demoSecrets(folder);
  const config = demoConfig(demoPorts(5000), folder, secrets);
  const file = join(folder, "liaison.yaml");
  await writeFile(file, demoConfigText(demoPorts(5000), folder, secrets));
  assert.deepEqual((await loadConfig({ file, env: {} })).config, config, "commands read the same");
  assert.equal(config.issuer, "http://localhost:5000");
  assert.deepEqual(
    config.portals.map(({ id, access_policy: policy }) => [id, policy.kinds, policy.plan_required]),
    [
      ["customersource", ["customer"], true],
      ["partnersource", ["partner"], false],
    ],
  );
  assert.equal(config.upstreams[0]?.issuer, "http://localhost:5001");
});

test("a portal believes only logout tokens of its issuer, for itself, fresh and whole", async (context) => {
  const issuer = "http://localhost:4400";
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" };
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  const keys = await serveOnLoopback(port, (_request, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [jwk] }));
  });
  context.after(keys.close);
  const verify = logoutTokenVerifier(issuer, "customersource");

  const good = {
    iss: issuer,
    aud: "customersource",
    iat: Math.floor(Date.now() / 1000),
    jti: "j1",
    sub: "account-7",
    sid: "sid-7",
    events: { "http://schemas.openid.net/event/backchannel-logout": {} },
  };
  const check = async (claims: Record<string, unknown>, key = privateKey) => {
    const kept = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
    const token = await new SignJWT(kept)
      .setProtectedHeader({ alg: "ES256", kid: "k1", typ: "logout+jwt" })
      .sign(key);
    return verify(token, `${keys.url}/jwks`);
  };
  assert.deepEqual(await check(good), { subject: "account-7", sid: "sid-7" });
  assert.deepEqual(await check({ ...good, sid: undefined }), { subject: "account-7", sid: undefined });
  for (const bad of [
    { ...good, iss: "http://localhost:4499" },
    { ...good, aud: "partnersource" },
    { ...good, iat: good.iat - 3600 },
    { ...good, nonce: "n" },
    { ...good, events: {} },
    { ...good, events: undefined },
    { ...good, jti: undefined },
    { ...good, sub: undefined, sid: undefined },
  ]) {
    assert.equal(await check(bad), undefined, JSON.stringify(bad));
  }
  assert.equal(
    await check(good, (await generateKeyPair("ES256")).privateKey),
    undefined,
    "signed by another key",
  );
});
