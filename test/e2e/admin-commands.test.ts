/**
 * The commands of the administration as they are used: on the store beside a running service, and by that
 * service elsewhere.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId } from "../../src/domain/ids.ts";
import {
  type CommandTargets,
  listening,
  type Said,
  startCommandTargets,
  type Target,
} from "../support/command-targets.ts";
import { bin } from "../support/import-fixture.ts";
import { type Liaison, people, register, signIn } from "../support/liaison.ts";

describe("commands of the administration", () => {
  let liaison: Liaison;
  let local: Target;
  let remote: Target;
  let remoteAt: (url: string, tokenFile: string) => Target;
  let tokenFile: string;
  let newKey: CommandTargets["newKey"];
  const targets = () =>
    [
      ["local", local],
      ["remote", remote],
    ] as const;

  before(async () => {
    ({ liaison, local, remote, remoteAt, tokenFile, newKey } = await startCommandTargets());
  });
  after(() => liaison?.close());

  const json = ({ stdout, stderr }: Said) => {
    assert.notEqual(stdout, "", stderr);
    return JSON.parse(stdout);
  };
  const lines = ({ stdout }: Said) => stdout.trim().split("\n");

  it("organizations and profiles: made, edited, listed, on both targets", async () => {
    for (const [id, target] of targets()) {
      const made = await target(
        `orgs create --id ${id} --account-number N-1 --kind customer --name`,
        `North ${id}`,
      );
      assert.equal(made.code, 0, made.stderr);
      assert.match(made.stdout, new RegExp(`^id +${id}\nname +North ${id}\n`));
      const again = await target(`orgs create --id ${id} --name N --account-number N-2 --kind customer`);
      assert.deepEqual([again.code, again.stdout], [1, ""]);
      assert.match(again.stderr, /There is an organization of this id already: choose another id\./);
      const edited = json(
        await target(`orgs edit ${id} --plan-status active --plan-expires 2027-03-28 --json`),
      );
      const ends = ["2027-03-28T22:00:00.000Z", "2027-03-28"];
      assert.deepEqual(
        [edited.plan.status, edited.plan.expires_at, edited.plan.last_day],
        ["active", ...ends],
      );
      const { plan, ...suspended } = json(await target(`orgs edit ${id} --plan-status suspended --json`));
      assert.deepEqual([plan.status, plan.expires_at, plan.last_day], ["suspended", ...ends]);
      assert.notEqual(suspended.revision, edited.revision);
      const address = `ann@${id}.example`;
      const profile = await target(
        `profiles create --id p-${id} --organization-id ${id} --email ${address} --name Ann`,
      );
      assert.equal(profile.code, 0, profile.stderr);
      const roles = json(await target(`profiles edit p-${id} --roles a,b --enabled false --json`));
      assert.deepEqual([roles.roles, roles.enabled], [["a", "b"], false]);
      const found = await target(`profiles list ${address}`);
      assert.match(
        found.stdout,
        new RegExp(`^ID +EMAIL +NAME .*\np-${id} +${address} +Ann +${id} +a, b +no\n$`),
      );
    }
  });

  it("what one key says twice is done once", async () => {
    const words = "orgs create --name Once --account-number O-1 --kind partner --idempotency-key k-1 --json";
    const [first, second] = [await remote(words), await remote(words)];
    assert.equal(json(first).id, json(second).id);
    const other = await remote(words, "--enabled", "false");
    assert.deepEqual([other.code, /used for another request/.test(other.stderr)], [1, true]);
  });

  it("an edit of what somebody else changed: what differs, and the revision now", async () => {
    for (const [id, target] of targets()) {
      const { revision } = json(await target(`orgs show ${id} --json`));
      const now = json(await target(`orgs edit ${id} --name Changed --json`));
      const late = await target(`orgs edit ${id} --name Mine --plan-status active --if-match ${revision}`);
      assert.deepEqual([late.code, late.stdout], [1, ""]);
      assert.match(late.stderr, /Somebody else changed this/);
      assert.match(
        late.stderr,
        /\n {2}name: yours "Mine", now "Changed"\n {2}plan: yours \{"status":"active",/,
      );
      assert.match(late.stderr, new RegExp(`--if-match ${now.revision}\n$`));
      assert.equal((await target(`orgs edit ${id} --name Mine --if-match ${now.revision}`)).code, 0);
    }
  });

  it("a client app: registered with a secret, rotated, edited, why, removed", async () => {
    for (const [id, target] of targets()) {
      const uri = `https://${id}.example`;
      const made = await target(
        `clients create --preset web --id c-${id} --name C --home-url ${uri}/ --redirect-uris ` +
          `${uri}/a,${uri}/b --kinds customer --plan-required true`,
      );
      assert.equal(made.code, 0, made.stderr);
      assert.match(made.stdout, /\nclient secret +[\w-]{43}\n(.*\n)*The secret won't be shown again/);
      const rotated = await target(`clients rotate c-${id} --json`);
      assert.match(json(rotated).client_secret, /^[\w-]{43}$/);
      assert.match(rotated.stderr, /won't be shown again/);
      const edited = json(await target(`clients edit c-${id} --roles a --name D --json`));
      assert.deepEqual(
        [edited.access_policy, edited.name],
        [{ kinds: ["customer"], plan_required: true, roles: ["a"] }, "D"],
      );
      const wrong = await target(`clients edit c-${id} --home-url none`);
      assert.deepEqual([wrong.code, /--home-url: /.test(wrong.stderr)], [2, true]);

      const why = await target(`why --client-id c-${id} --profile-id p-${id}`);
      assert.match(
        why.stdout,
        /^unlinked\n\n.*: not admitted\n {2}x profile enabled +profile disabled\. Enable the profile\.\n/,
      );
      assert.equal(why.code, 3, "a refusal");
      assert.equal((await target(`profiles edit p-${id} --enabled true`)).code, 0);
      await target(`orgs edit ${id} --plan-status active --plan-expires none`);
      const unlinked = await target(`why --client-id c-${id} --profile-id p-${id} --json`);
      assert.deepEqual(
        [unlinked.code, json(unlinked).outcome],
        [0, "unlinked"],
        "who isn't linked yet isn't refused",
      );
      assert.equal((await target(`clients remove c-${id}`)).stdout, "Removed.\n");
      const gone = await target(`clients show c-${id}`);
      assert.deepEqual([gone.code, gone.stderr], [1, "liaison: There is no such client app.\n"]);
      const fixed = await target("clients edit customersource --name X");
      assert.match(fixed.stderr, /stands in the configuration: change it there/);
    }
  });

  it("administrators: invited, given another role; the last owner stays", async () => {
    const kim = await local("admin invite kim@contoso.example");
    assert.equal(kim.code, 0, kim.stderr);
    assert.match(
      kim.stdout,
      new RegExp(`kim@contoso.example signs in at ${liaison.issuer}/admin\\. The mail .*\n$`),
    );
    const { id } = json(await remote("admin list --json"));
    for (const [, target] of targets()) {
      const last = await target("admin role", id, "--role", "auditor");
      assert.deepEqual(
        [last.code, /leave no owner\. Make somebody else an owner first/.test(last.stderr)],
        [1, true],
      );
    }
    const sam = json(
      await remote("admin invite sam@contoso.example --role support --json --name", "Sam Lee"),
    );
    assert.deepEqual([sam.admin_role, sam.name], ["support", "Sam Lee"]);
    assert.equal(json(await remote("admin role --json --role none", sam.id)).admin_role, null);
    const twice = json(await local("admin invite kim@contoso.example --json"));
    assert.deepEqual([twice.id, twice.admin_role], [id, "owner"], "invited again as what she is");
    await liaison.mailbox.arrived(3);
    const invited = liaison.mailbox.mails.filter(({ subject }) => /^You are an administrator/.test(subject));
    const mailed = ["kim", "kim", "sam"].map((name) => `${name}@contoso.example`);
    assert.deepEqual(invited.map(({ to }) => to).sort(), mailed);
  });

  it("both targets give the same JSON", async () => {
    const id = json(await local("admin list --json")).id;
    for (const line of [
      "clients list",
      "clients show partnersource",
      "clients settings partnersource",
      "clients impact partnersource",
      "orgs list",
      "orgs list once",
      "orgs show local",
      "profiles list",
      `profiles show ${id}`,
      "admin list",
      "accounts list",
      "sessions list",
      "keys list",
      "keys signing",
      "upstreams list",
      "audit list --limit 5",
      `why --client-id customersource --profile-id ${id}`,
      "audit list --all --limit 7 --action profile.changed",
    ]) {
      const [here, there] = [await local(`${line} --json`), await remote(`${line} --json`)];
      const code = line.startsWith("why ") ? 3 : 0;
      assert.deepEqual([here.code, there.code], [code, code], here.stderr + there.stderr);
      const parsed = (said: Said) =>
        said.stdout.split("\n").map((one) => (one === "" ? "" : JSON.parse(one)));
      // A key is used by the very question.
      const uses = (value: object[] | string[]) =>
        JSON.parse(JSON.stringify(value), (key, one) => (key === "last_used_at" ? null : one));
      assert.deepEqual(uses(parsed(there)), uses(parsed(here)), line);
    }
  });

  it("lists go on: by the cursor, or to the end", async () => {
    await register(
      liaison,
      { id: asOrganizationId("many") },
      Array.from({ length: 7 }, (_, place) => ({ id: `m-${place}`, email: `m${place}@many.example` })),
    );
    for (const [, target] of targets()) {
      const first = await target("profiles list --organization-id many --limit 3 --json");
      assert.equal(lines(first).length, 3);
      const cursor = /--cursor '([^']+)', or --all/.exec(first.stderr)?.[1] ?? assert.fail(first.stderr);
      const second = await target("profiles list --organization-id many --limit 3 --json --cursor", cursor);
      const all = await target("profiles list --organization-id many --limit 3 --all --json");
      assert.deepEqual([lines(all).length, all.stderr], [7, ""]);
      assert.deepEqual(lines(all).slice(0, 6), [...lines(first), ...lines(second)]);
    }
    assert.equal((await local("orgs list nothing-such")).stdout, "Nothing found.\n");
  });

  it("the audit: verified, exported as JSON lines and as CSV", async () => {
    for (let turn = 0; turn < 50 && json(await local("audit verify --json")).unsealed > 0; turn += 1)
      await pause(200);
    for (const [name, target] of targets()) {
      const verified = await target("audit verify --json");
      assert.deepEqual([verified.code, json(verified).intact], [0, true]);
      const other = await target("audit verify --head 99999.AAAA");
      assert.equal(other.code, 1);
      assert.match(other.stdout, /^(.*\n)*intact +no\n/);
      assert.match(other.stderr, /The audit isn't intact: the chain ends at \d+, before the head given\.\n$/);
      const { head } = json(verified);
      const since = json(await target("audit verify --json --head", head));
      assert.deepEqual([since.intact, since.problem], [true, null]);
      assert.match(
        (await target(`audit verify --head ${"x".repeat(201)}`)).stderr,
        /--head|the head given is none/,
      );

      const file = join(liaison.dataDir, `${name}.jsonl`);
      const exported = await target("audit export --action profile.changed --output", file);
      const written = (await readFile(file, "utf8")).trim().split("\n");
      assert.deepEqual(
        [exported.code, exported.stdout, exported.stderr],
        [0, "", `${written.length} events written to ${file}\n`],
      );
      assert.ok(written.every((line) => JSON.parse(line).action === "profile.changed"));
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      const csv = await target("audit export --format csv --action profile.changed");
      assert.equal(csv.stdout.trim().split("\r\n").length, written.length + 1);
      assert.match(csv.stdout, /^id,at,action,actor,/);
      for (const format of ["xml", "constructor"])
        assert.match((await target(`audit export --format ${format}`)).stderr, /--format takes jsonl or csv/);
      assert.match(
        (await target("audit export --output", liaison.dataDir)).stderr,
        /can't be written \(EISDIR\)/,
      );
    }
    // What the service was asked for is kept there; on the store itself nobody is asked.
    const asked = lines(await local("audit verifications --json")).map((line) => JSON.parse(line));
    assert.deepEqual(
      asked.map(({ state, kept_head, result }) => [state, kept_head !== null, result.intact]),
      [
        ["finished", true, true],
        ["finished", true, false],
        ["finished", false, true],
      ],
    );
    assert.ok(asked.every(({ asked_by }) => /^key:/.test(asked_by)));
    assert.match((await remote("audit verifications")).stdout, /^ID .*INTACT/i);
  });

  it("inquiries and mails by a broker: as on the store, without what it doesn't tell", async () => {
    const browser = liaison.browser();
    const step = await signIn(browser, await liaison.customerSource.start(), people.ann);
    const waiting = await browser.press(step, "Continue", { email: "m0@many.example" });
    const code = waiting.dom.querySelector(".code")?.textContent ?? "";
    await pause(2000);
    const [here, there] = [
      await local("links list --json"),
      await remote("links list --json --email m0@many.example"),
    ];
    const [inquiry, other] = [json(here), json(there)];
    assert.equal(other.code, code);
    const { requester, ...rest } = other;
    assert.deepEqual({ ...inquiry, ...rest, requester: { ...inquiry.requester, ...requester } }, inquiry);
    const [shownHere, shownThere] = [
      await local("links show", inquiry.id),
      await remote("links show", inquiry.id),
    ];
    assert.equal(shownThere.stdout.split("\n")[0], shownHere.stdout.split("\n")[0]);
    assert.equal(lines(shownThere).length, lines(shownHere).length);
    assert.match(
      (await remote("links list")).stdout,
      new RegExp(`^ID +ASKED +CODE .*\n${inquiry.id} .* ${code} `),
    );
    assert.match((await remote("links list --limit 500")).stderr, /--limit takes at most 200 with --url/);

    const again = liaison.browser();
    await again.press(await signIn(again, await liaison.customerSource.start(), people.eve), "Continue", {
      email: "m0@many.example",
    });
    await pause(2000);
    const [held, heldThere] = [json(await local("mail list --json")), json(await remote("mail list --json"))];
    assert.deepEqual({ ...held, ...heldThere }, held);
    assert.match(
      (await remote("mail list")).stdout,
      /^ID +CREATED +STATE +KIND +TO +WHY\n.* held +link +m0@/,
    );
    assert.equal(
      (await remote("mail release", held.id)).stdout,
      `${held.id} to m0@many.example is sent next.\n`,
    );
    const sent = await remote("mail resend", held.id);
    assert.deepEqual([sent.code, /wasn't given up/.test(sent.stderr)], [1, true]);
  });

  it("a wrong token, one that may not, and none: what to do", async () => {
    const file = join(liaison.dataDir, "reader");
    await writeFile(file, await newKey("reader", "admin:read"));
    const reader = remoteAt(liaison.issuer, file);
    assert.equal((await reader("orgs show local")).code, 0);
    const denied = await reader("orgs edit local --name X");
    assert.deepEqual([denied.code, denied.stdout], [1, ""]);
    assert.match(
      denied.stderr,
      /needs the scope directory:write\. The token of .*reader lacks it; .*liaison keys create/,
    );
    assert.match((await reader("audit list")).stderr, /needs the scope audit:read/);

    const spawned = async (env: Record<string, string>) => {
      const words = [bin, "orgs", "list", "--json", "--url", liaison.issuer];
      const child = spawn(process.execPath, words, {
        env: { PATH: process.env["PATH"], ...env },
        stdio: "pipe",
      });
      const output = { stdout: "", stderr: "" };
      for (const name of ["stdout", "stderr"] as const)
        child[name].on("data", (chunk) => (output[name] += chunk));
      const [code] = await once(child, "close");
      return { code: Number(code), ...output };
    };
    const wrong = await spawned({ LIAISON_TOKEN: `liaison_${"x".repeat(43)}` });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /doesn't know the token of LIAISON_TOKEN\. .*liaison keys create/);
    const none = await spawned({});
    assert.deepEqual([none.code, /--token-file FILE, or LIAISON_TOKEN/.test(none.stderr)], [2, true]);
    const right = await spawned({ LIAISON_TOKEN: (await readFile(tokenFile, "utf8")).trim() });
    assert.deepEqual([right.code, right.stdout], [0, (await local("orgs list --json")).stdout]);
  });

  it("flags that contradict each other, and places where no administration is", async () => {
    assert.match((await local("orgs list", "--url", liaison.issuer)).stderr, /--config or --url/);
    assert.match(
      (await local("links list", "--token-file", tokenFile)).stderr,
      /--token-file goes with --url/,
    );
    const at = async (url: string) => (await remoteAt(url, tokenFile)("orgs list")).stderr;
    assert.match(await at("http://signin.contoso.example"), /--url takes an https:\/\/ address/);
    assert.match(await at("http://127.0.0.1:1"), /can't be reached \(.*\)\. Is this the broker's issuer/);
    assert.match(await at(liaison.upstreamIssuer), /answers \(\d+\), but not as an administration does/);

    const seen: (string | undefined)[] = [];
    const elsewhere = await listening((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: `${liaison.issuer}${request.url}` }).end();
    });
    assert.match(await at(elsewhere.url), /redirects to .*\. Give --url the issuer itself\./);
    assert.equal(seen.length, 1);
    elsewhere.server.close();
  });

  it("what a broker says reaches no terminal unread", async () => {
    const hostile = await listening((_request, response) => {
      const problem = { detail: "\u001b[2JBoo\u202e", status: 409, code: "conflict" };
      response.writeHead(409, { "content-type": "application/problem+json" }).end(JSON.stringify(problem));
    });
    const { code, stderr } = await remoteAt(hostile.url, tokenFile)("orgs list");
    assert.deepEqual([code, stderr], [1, "liaison:  [2JBoo \n"]);
    hostile.server.close();
  });
});
