/**
 * Ids that every object in JavaScript seems to hold: A10 of the threat list. Refused at every door, and
 * harmless where stored.
 */

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { importDirectory, type RowReport } from "../../src/admin/import/import.ts";
import { refusal } from "../../src/demo/portal-pages.ts";
import { asClientId, asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type ClientDoors, type Door, openDoors } from "../support/client-doors.ts";
import { aRow, csvOf } from "../support/import-fixture.ts";
import { portalSecret, register, signIn } from "../support/liaison.ts";
import { TestPortal } from "../support/portal.ts";
import { registerClient } from "../support/stored-clients.ts";

const names = Object.getOwnPropertyNames(Object.prototype);

/** Everything that objects inherit, with what it holds: what is written there, everybody reads. */
function shared(): unknown {
  const all = [Object, Object.prototype, Function.prototype];
  for (const name of names) {
    const value: unknown = Object.getOwnPropertyDescriptor(Object.prototype, name)?.value;
    if (typeof value === "function") all.push(value as ObjectConstructor);
  }
  return all.map((one) => Reflect.ownKeys(one));
}

describe("A10: ids that are names of Object.prototype", { concurrency: 1 }, () => {
  let open: ClientDoors;
  before(async () => {
    open = await openDoors();
  });
  after(() => open?.close());

  it("A10: there are some, and one of them fits every spelling of an id", () => {
    assert.ok(
      names.includes("constructor") && names.includes("__proto__") && names.length >= 12,
      names.join(" "),
    );
  });

  const doors: Door[] = ["api", "command", "pages"];
  for (const door of doors) {
    it(`A10: a client app of such an id: ${door} refuses it, and says why`, async () => {
      const { store } = open.fixture;
      const before = await store.clients.list();
      for (const id of names) {
        const { isTaken, said } = await open.at(door, { id });
        assert.ok(!isTaken, id);
        assert.match(said, id.startsWith("_") ? /use 1 to 63 letters/ : /every JavaScript object has/, id);
      }
      assert.deepEqual(await store.clients.list(), before);
    });
  }

  it("A10: of every preset, and of organizations and profiles, by the API and by commands", async () => {
    const { owner } = open.fixture;
    await owner.done("POST", "/organizations", {
      body: { id: "a10", name: "N", account_number: "1", kind: "customer" },
    });
    for (const id of names) {
      const home = { home_url: "https://p.example/", redirect_uris: ["https://p.example/cb"] };
      const bodies: [path: string, body: object][] = [
        ["/clients", { id, preset: "machine", name: "N", scopes: ["admin:read"] }],
        ...["web", "single_page", "native"].map((preset): [string, object] => [
          "/clients",
          { id, preset, name: "N", ...home },
        ]),
        ["/organizations", { id, name: "N", account_number: "1", kind: "customer" }],
        ["/organizations", { id, name: "N", account_number: "1", kind: "operator" }],
        ["/profiles", { id, organization_id: "a10", email: "ann@a10.example", name: "Ann" }],
      ];
      for (const [path, body] of bodies) {
        const { status, text } = await owner.call("POST", path, { body });
        assert.equal(status, 400, `${path} ${id}: ${text}`);
        assert.match(text, /"field":"id"/);
      }
      const organization = [
        "orgs",
        "create",
        "--id",
        id,
        "--name",
        "N",
        "--account-number",
        "1",
        "--kind",
        "customer",
      ];
      const profile = [
        "profiles",
        "create",
        "--id",
        id,
        "--organization-id",
        "a10",
        "--email",
        "a@a10.example",
      ];
      for (const words of [organization, [...profile, "--name", "Ann"]]) {
        const { isTaken, said } = await open.command(words);
        assert.ok(!isTaken, words.join(" "));
        assert.match(said, /^liaison: --id: /);
      }
      // What is looked up by such an id isn't there, and is no fault of ours.
      for (const path of ["/clients", "/organizations", "/profiles", "/accounts", "/links"]) {
        assert.equal((await owner.call("GET", `${path}/${id}`)).status, 404, `${path}/${id}`);
      }
      const elsewhere = { organization_id: id, email: "ann@a10.example", name: "Ann" };
      const { status } = await owner.call("POST", "/profiles", { body: elsewhere });
      assert.ok(status >= 400 && status < 500, String(status));
    }
  });

  it("A10: an import refuses the rows, and takes the others", async () => {
    const { store, clock } = open.fixture;
    const reports: RowReport[] = [];
    const rows = names.flatMap((name) => [
      aRow({ organization_id: name, profile_id: `p-${name}` }),
      aRow({ organization_id: "a10-import", profile_id: ` ${name} ` }),
    ]);
    const summary = await importDirectory(
      { store, clock, timeZone: "UTC", mailDomain: "contoso.example", actor: "command:import" },
      {
        source: Readable.from([
          Buffer.from(csvOf([...rows, aRow({ organization_id: "a10-import", profile_id: "p-10" })])),
        ]),
        dryRun: false,
        signal: new AbortController().signal,
        onRow: async (row) => void reports.push(row),
        onProgress: () => {},
      },
    );
    assert.deepEqual([summary.badRows, summary.profiles.added], [rows.length, 1]);
    for (const [index, report] of reports.entries()) {
      const [fault] = "faults" in report ? report.faults : [];
      assert.equal(fault?.column, index % 2 === 0 ? "organization_id" : "profile_id");
      assert.match(fault?.problem ?? "", /every JavaScript object has.*choose another/);
    }
    for (const name of names) {
      assert.equal(await store.directory.organization(asOrganizationId(name)), undefined);
      assert.equal(await store.directory.membership(asProfileId(name)), undefined);
    }
  });

  it("A10: the configuration names none so, neither portals nor upstreams", async () => {
    const { config } = open.fixture;
    const [upstream] = config.upstreams;
    for (const id of names) {
      const portal = await open.at("configuration", { id });
      const other = await open.configuration({ upstreams: [{ ...upstream, id }] });
      for (const { isTaken, said } of [portal, other]) {
        assert.ok(!isTaken, id);
        assert.match(
          said,
          id === "constructor" ? /\.id \(.*every JavaScript object has/ : /use 1 to 63 lower-case/,
        );
      }
    }
  });

  it("A10: query fields, flags, formats and errors of such a name are none", async () => {
    const { issuer, owner } = open.fixture;
    for (const name of names) {
      assert.equal((await owner.call("GET", `/organizations?${name}=1`)).status, 400, name);
      assert.equal((await owner.call("GET", `/audit?${name}=1&limit=${name}`)).status, 400, name);
      const flag = await open.command(["orgs", "list", `--${name}`, "x"]);
      assert.match(flag.said, /has no flag|doesn't take/, name);
      assert.match(refusal(name, undefined).detail, /couldn't finish this sign-in/);
      const page = await open.fixture.browser().visit(`${issuer}/admin/clients/new?preset=${name}`);
      assert.ok(page.status < 500, page.text);
      assert.ok(
        (await open.fixture.browser().visit(`${issuer}/upstream/${name}/callback?state=x&code=x`)).status <
          500,
      );
      const hinted = await open.fixture.customerSource.start({
        upstream: name,
        profile_hint: name,
        login_hint: name,
      });
      assert.equal((await open.fixture.browser().visit(hinted.url)).status, 200, name);
    }
  });

  it(
    "A10: stored by an older version, they sign people in, each to what is theirs, and nothing shared is " +
      "written on",
    async () => {
      const { fixture } = open;
      const { store, issuer } = fixture;
      const before = shared();
      for (const id of names) {
        const redirectUri = "http://localhost:9/old/callback";
        await registerClient(store, {
          id: asClientId(id),
          name: `Old ${id}`,
          homeUrl: "http://localhost:9/old",
          aboutUrl: null,
          managedBy: "admin",
          secret: portalSecret,
          previousSecret: null,
          claimsInIdToken: true,
          policy: { kinds: ["customer"], planRequired: false, roles: [] },
          metadata: {
            redirect_uris: [redirectUri],
            grant_types: ["authorization_code", "refresh_token"],
            backchannel_logout_uri: "http://localhost:9/old/logged-out",
            backchannel_logout_session_required: true,
          },
        });
      }
      await register(fixture, { id: asOrganizationId("__proto__") }, [
        { id: "constructor", email: "one@old.example" },
        { id: "valueOf", email: "two@old.example" },
      ]);
      const people = await Promise.all(
        ["constructor", "valueOf"].map(async (profileId) => {
          const person = fixture.stranger();
          const accountId = await bindTo(fixture, person, profileId);
          return { profileId, accountId, person, browser: fixture.browser() };
        }),
      );
      const sids = new Set<unknown>();
      for (const { profileId, accountId, person, browser } of people) {
        for (const clientId of names) {
          const redirectUri = "http://localhost:9/old/callback";
          const portal = await TestPortal.connect({
            issuer,
            clientId,
            clientSecret: portalSecret,
            redirectUri,
          });
          const started = await portal.start();
          const end = await signIn(browser, started, person);
          assert.ok(end.url.searchParams.has("code"), `${clientId}: ${end.text}`);
          const tokens = await portal.exchange(end.url, started);
          const claims = await portal.userinfo(tokens.access_token, accountId);
          assert.equal(claims["profile_id"], profileId, clientId);
          assert.ok(tokens.refresh_token);
          await portal.refresh(tokens.refresh_token);
          // Known again, without a page, and by nobody else's grant.
          const again = await portal.start({ prompt: "none" });
          const known = await browser.visit(again.url);
          assert.ok(known.url.searchParams.has("code"), `${clientId}: ${known.url}`);
          const { sub, ...told } = (await portal.exchange(known.url, again)).claims() ?? assert.fail();
          assert.equal(sub, accountId);
          assert.equal(typeof told["sid"], "string");
          sids.add(told["sid"]);
          assert.deepEqual(shared(), before, clientId);
        }
        const sessions = await fixture.owner.list<{ client_id: string }>(`/grants?account_id=${accountId}`);
        assert.deepEqual(sessions.map(({ client_id }) => client_id).toSorted(), names.toSorted());
      }
      assert.equal(sids.size, people.length * names.length, "each has a session of their own at each portal");
      const [first, second] = people;
      if (first === undefined || second === undefined) return assert.fail();
      await first.browser.press(await first.browser.visit(`${issuer}/logout`), "Sign out");
      assert.deepEqual(await fixture.owner.list(`/grants?account_id=${first.accountId}`), []);
      assert.equal((await fixture.owner.list(`/grants?account_id=${second.accountId}`)).length, names.length);
      for (const id of names) {
        const { status } = await fixture.owner.call("GET", `/clients/${id}`);
        assert.equal(status, 200, "administrators see it");
        await fixture.owner.done("DELETE", `/clients/${id}`);
      }
      assert.deepEqual(shared(), before);
    },
  );
});
