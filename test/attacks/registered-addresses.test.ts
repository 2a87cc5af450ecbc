/**
 * Addresses that two readers read in two ways, at every door where a client app is registered: O13 of the
 * threat list.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asClientId, asOrganizationId } from "../../src/domain/ids.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type ClientDoors, type ClientTry, type Door, openDoors } from "../support/client-doors.ts";
import { register, signIn } from "../support/liaison.ts";
import { editClient } from "../support/stored-clients.ts";
import type { UserAgent } from "../support/user-agent.ts";

/** By address: what its refusal says. */
const refused: [address: string, said: RegExp][] = [
  ["https://user@p.example/cb", /without a user name or password/],
  ["https://user:pw@p.example/cb", /without a user name or password/],
  ["https://@p.example/cb", /without a user name or password/],
  ["https://p.example@evil.example/cb", /without a user name or password/],
  ["https://p.example%40evil.example/cb", /absolute|host in ASCII/],
  ["https://*.p.example/cb", /\* stands for nothing/],
  ["https://*/cb", /\* stands for nothing/],
  ["https://%2a.p.example/cb", /there are no wildcards/],
  ["https://p.example/*", /\* stands for nothing/],
  ["https://p.example/cb?x=*", /\* stands for nothing/],
  ["https://p.example/%2A", /encoded slashes/],
  ["https://p.example\\cb", /without a backslash/],
  ["https:\\\\p.example/cb", /begins with https|absolute http/],
  ["https://p.example\\@evil.example/cb", /without a backslash/],
  ["https://p.example./cb", /without the dot at its end/],
  ["https://p.example.:8443/cb", /without the dot at its end/],
  ["http://localhost./cb", /without the dot at its end/],
  ["https://p.example%2e/cb", /host in ASCII and as browsers read it: p\.example/],
  ["https://p..example/cb", /two dots in a row/],
  ["https://p.example/a%2fb", /encoded slashes/],
  ["https://p.example/a%2Fb", /encoded slashes/],
  ["https://p.example/a%5cb", /encoded slashes/],
  ["https://p.example/%2e%2E/b", /encoded slashes/],
  ["https://p.example/.%2e/b", /encoded slashes/],
  ["https://p.example/a%252fb", /encoded slashes/],
  ["https://p.example/a%25255cb", /encoded slashes/],
  ["https://p.example/a%c0%afb", /of their UTF-8/],
  ["https://p.example/a%00b", /control characters/],
  ["https://p.example/cb?x=%0d%0aSet-Cookie:a", /control characters/],
  ["https://p.example/a/../cb", /without \. and \.\.: \/cb/],
  ["https://p.example/./cb", /without \. and \.\.: \/cb/],
  ["https://p.example/..;/cb", /without \. and \.\./],
  ["https://p.example/a\tb", /without blanks/],
  ["https://p.example/a\nb", /without blanks/],
  ["https://p.exa\rmple/cb", /without blanks/],
  ["https://p.example/a b", /without blanks/],
  ["https://p.example/a\u00a0b", /without blanks/],
  ["https://p.example/a\u200bb", /without blanks/],
  ["https://bücher.example/cb", /host in ASCII and as browsers read it: xn--bcher-kva\.example/],
  ["https://p\u3002example/cb", /host in ASCII and as browsers read it: p\.example/],
  ["https://ｐ.example/cb", /host in ASCII and as browsers read it: p\.example/],
  ["https://%70.example/cb", /host in ASCII and as browsers read it: p\.example/],
  ["https://2130706433/cb", /host in ASCII and as browsers read it: 127\.0\.0\.1/],
  ["http://0x7f.1/cb", /host in ASCII and as browsers read it: 127\.0\.0\.1/],
  ["https:///p.example/cb", /host in ASCII/],
  ["https://p.example:/cb", /the port/],
  ["https://p.example:0443/cb", /the port/],
  ["https://p.example/ü", /in ASCII/],
  ["https://p.example/{tenant}", /write \{ as %7B/],
  ["https://p.example/a|b", /write \| as %7C/],
  ["https://p.example/%zz", /two hexadecimal digits/],
  ["https://p.example/100%", /two hexadecimal digits/],
];
const good = [
  "https://p.example",
  "https://P.example:8443/Cb_1-2.3~4/?x=1&next=https%3A%2F%2Fp.example%2F..",
  "https://p.example/%C3%BC/a%20b/.well-known/x.y;z=1",
  "https://xn--bcher-kva.example/cb",
  "https://10.0.0.7/cb",
  "https://[2001:db8::1]/cb",
  "http://127.0.0.1:3000/cb",
  "http://[::1]/cb",
  "http://localhost/cb",
];

/** Of those, where a logout token may go. */
const privateHosts = ["10.0.0.7:443", "[2001:db8::1]:443", "127.0.0.1:3000", "[::1]:80", "localhost:80"];

const lists = ["redirect_uris", "post_logout_redirect_uris"] as const;
const fields = [...lists, "backchannel_logout_uri", "home_url", "about_url", "initiate_login_uri"] as const;
type Field = (typeof fields)[number];
const tryOf = (field: Field, address: string): ClientTry => ({
  [field]:
    field === "redirect_uris" || field === "post_logout_redirect_uris"
      ? ["https://p.example/1", address]
      : address,
});

/** Whether a blank is part of what is typed at a door. */
const doors: Record<Door, { keepsBlanks: boolean }> = {
  configuration: { keepsBlanks: true },
  api: { keepsBlanks: true },
  "api, editing": { keepsBlanks: true },
  command: { keepsBlanks: true },
  "command, editing": { keepsBlanks: true },
  pages: { keepsBlanks: false },
  "pages, editing": { keepsBlanks: false },
};

describe("O13: what a client app registers", { concurrency: 1 }, () => {
  let open: ClientDoors;
  before(async () => {
    open = await openDoors({ privateHosts });
  });
  after(() => open?.close());

  const registered = async () => JSON.stringify(await open.fixture.store.clients.list());

  for (const [door, { keepsBlanks }] of Object.entries(doors) as [Door, (typeof doors)[Door]][]) {
    for (const field of fields) {
      it(`O13: ${door}: ${field} is refused where two readers read two, with what to write`, async () => {
        const before = await registered();
        for (const [address, said] of refused) {
          const { isTaken, said: answer } = await open.at(door, tryOf(field, address));
          assert.ok(!isTaken, `${address} was taken`);
          // On a page a line end makes two addresses of one.
          if (keepsBlanks || !/[\r\n]/.test(address)) assert.match(readable(answer), said, address);
          if (keepsBlanks || lists.some((list) => list === field)) assertNamed(door, field, address, answer);
        }
        for (const address of keepsBlanks
          ? [" https://p.example/cb", "https://p.example/cb ", "https://p.example/cb\n"]
          : []) {
          assert.ok(!(await open.at(door, tryOf(field, address))).isTaken, JSON.stringify(address));
        }
        assert.equal(await registered(), before);
      });
    }
    it(`O13: ${door}: what all read alike is taken`, async () => {
      for (const address of good) {
        for (const field of fields) {
          const { isTaken, said } = await open.at(door, tryOf(field, address));
          assert.ok(isTaken, `${field}: ${address}: ${said}`);
        }
      }
      for (const field of ["home_url", "initiate_login_uri"] as const) {
        for (const address of ["http://intranet.p.example/#/start", "https://p.example/#a%2fb"]) {
          const { isTaken, said } = await open.at(door, tryOf(field, address));
          assert.ok(isTaken, `${field}: ${address}: ${said}`);
        }
      }
    });
  }

  /** JSON's own escapes, and a page's. */
  function readable(answer: string): string {
    return answer.replaceAll("\\\\", "\\");
  }

  /** By its place in the list, or by itself where it was typed a moment ago. */
  function assertNamed(door: Door, field: Field, address: string, answer: string): void {
    const isList = lists.some((list) => list === field);
    if (door === "configuration")
      assert.ok(answer.includes(`portals.tried.${field}${isList ? "[1]" : ""} `), answer);
    else if (door.startsWith("api")) assert.ok(answer.includes(`"${field}${isList ? ".1" : ""}"`), answer);
    else if (door.startsWith("command"))
      assert.ok(answer.includes(`--${field.replaceAll("_", "-")}`), answer);
    else if (!/[\s\u00a0\u200b]/.test(address))
      assert.ok(answer.includes(address), `${address} in ${answer}`);
  }

  it("O13: what passed every door in another spelling is refused by the provider itself, too", async () => {
    const { fixture } = open;
    const { id } = await fixture.owner.done<{ id: string }>("POST", "/clients", {
      body: {
        preset: "web",
        name: "Old",
        home_url: "https://p.example/",
        redirect_uris: ["https://p.example/cb"],
      },
    });
    const old = (await fixture.store.clients.find(asClientId(id))) ?? assert.fail();
    await editClient(fixture.store, {
      ...old,
      metadata: { ...old.metadata, post_logout_redirect_uris: ["https://u:secret-pw@p.example/bye"] },
    });
    const headers = { "if-match": await fixture.owner.etag(`/clients/${id}`) };
    const renamed = await fixture.owner.call("PATCH", `/clients/${id}`, { body: { name: "New" }, headers });
    assert.equal(renamed.status, 400, renamed.text);
    assert.match(renamed.text, /post_logout_redirect_uris: write it without a user name/);
    assert.doesNotMatch(renamed.text, /secret-pw/);
    const mended = { post_logout_redirect_uris: ["https://p.example/bye"] };
    await fixture.owner.edit(`/clients/${id}`, mended);
  });

  describe("and a request with such a spelling of a registered address", () => {
    const callback = "http://localhost:9/customersource/callback";
    const afterwards = "http://localhost:9/customersource/signed-out";
    const spellings = (address: string) => [
      address.replace("localhost", "user@localhost"),
      address.replace("localhost", "user:pw@localhost"),
      address.replace("localhost", "@localhost"),
      address.replace("localhost", "localhost."),
      address.replace("localhost", "*"),
      address.replace("localhost", "LOCALHOST"),
      address.replace("localhost", "%6cocalhost"),
      address.replace("localhost", "ｌocalhost"),
      address.replace("//localhost", "\\\\localhost"),
      address.replace(":9/", ":9\\"),
      address.replace(":9/", ":09/"),
      address.replace("/customersource/", "/customersource%2f"),
      address.replace("/customersource/", "/customersource%5c"),
      address.replace("/customersource/", "/customersource%252f"),
      address.replace("/customersource/", "/x/../customersource/"),
      address.replace("/customersource/", "/x/%2e%2e/customersource/"),
      address.replace("/customersource/", "/./customersource/"),
      address.replace("/customersource/", "//customersource/"),
      address.replace("/customersource/", "/*/"),
      `${address}%00`,
      `${address}\t`,
      ` ${address}`,
      `${address}\n`,
      `${address}/`,
      `${address}#`,
    ];
    let member: UserAgent;
    before(async () => {
      const { fixture } = open;
      await register(fixture, { id: asOrganizationId("northwind") }, [
        { id: "member", email: "member@northwind.example" },
      ]);
      const person = fixture.stranger();
      await bindTo(fixture, person, "member");
      member = fixture.browser();
      await signIn(member, await fixture.customerSource.start(), person);
    });

    it("O13: gets a page, and leads nowhere", async () => {
      const { fixture } = open;
      for (const redirect_uri of spellings(callback)) {
        const { url } = await fixture.customerSource.start({ redirect_uri });
        const page = await member.visit(url);
        assert.equal(page.status, 400, `${JSON.stringify(redirect_uri)}: ${page.url.href}`);
        assert.equal(page.url.origin, fixture.issuer);
        assert.equal(page.headers.get("location"), null);
      }
      for (const post_logout_redirect_uri of spellings(afterwards)) {
        const url = new URL(`${fixture.issuer}/logout`);
        url.search = String(new URLSearchParams({ client_id: "customersource", post_logout_redirect_uri }));
        const page = await member.visit(url);
        assert.equal(page.status, 400, `${JSON.stringify(post_logout_redirect_uri)}: ${page.url.href}`);
        assert.equal(page.url.origin, fixture.issuer);
      }
      const honest = await member.visit((await fixture.customerSource.start()).url);
      assert.ok(honest.url.href.startsWith(`${callback}?code=`), honest.text);
    });
  });
});
