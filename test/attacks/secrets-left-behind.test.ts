/** What a whole journey leaves in the database's files and in the log: D5 and D6 of the threat list. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { createLogger } from "../../src/logger.ts";
import { almostCarryOut, hesitant } from "../support/attack-fixture.ts";
import { honest } from "../support/bad-smtp.ts";
import { openLink, people, portalSecret, register, signIn, signInUpstream } from "../support/liaison.ts";
import { MailFixture } from "../support/mail-fixture.ts";
import type { StartedSignIn } from "../support/portal.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";
import { traces, Wiretap } from "../support/wiretap.ts";

/** The registered address in another spelling, one that nobody has, and one that is none. */
const typed = {
  known: "Ann.Archer@NorthWind.example",
  unknown: "Somebody.Unknown@elsewhere.example",
  malformed: '"Quoted.Person"@elsewhere.example, b@elsewhere.example',
};
const registered = "ann.archer@northwind.example";

describe("D5 and D6: secrets after a whole journey", { concurrency: 1 }, () => {
  const lines: string[] = [];
  const output: string[] = [];
  const wiretap = new Wiretap();
  const write = { out: process.stdout.write, err: process.stderr.write };
  let fixture: MailFixture;
  let breakStore = false;

  before(async () => {
    for (const stream of [process.stdout, process.stderr]) {
      const original = stream.write;
      stream.write = function record(this: typeof stream, ...parameters: unknown[]) {
        output.push(String(parameters[0]));
        return Reflect.apply(original, this, parameters) as boolean;
      } as typeof stream.write;
    }
    fixture = await MailFixture.start({
      logger: createLogger({ level: "trace", destination: { write: (line) => void lines.push(line) } }),
      smtp: { username: "liaison-mailer", password: "the-password-of-the-mail-server" },
      decorate: (store) => ({
        ...store,
        links: {
          ...store.links,
          inquire: async (inquiry) => {
            if (breakStore) throw new Error("the disk is full");
            return await store.links.inquire(inquiry);
          },
        },
      }),
    });
    fixture.smtp.offers = ["AUTH PLAIN"];
    const { config, store } = fixture.liaison;
    await register(fixture.liaison, { id: asOrganizationId("northwind") }, [
      { id: "ann", email: registered },
    ]);
    wiretap.add("the encryption key", config.encryption_key);
    wiretap.add("a portal's secret", portalSecret);
    wiretap.add("the upstream's secret", config.upstreams[0]?.client_secret);
    wiretap.add("the mail server's password", config.mail.smtp.password);
    for (const name of ["signing.rs256", "signing.es256", "cookies.1", "pages.1"]) {
      const value = await store.keys.findOrCreate(name, () => assert.fail(`no key ${name}`));
      if (!value.startsWith("{")) wiretap.add(name, value);
      else
        for (const part of ["d", "p", "q", "dp", "dq", "qi"])
          wiretap.add(`${name} ${part}`, JSON.parse(value)[part]);
    }
  });
  after(async () => {
    wiretap.stop();
    process.stdout.write = write.out;
    process.stderr.write = write.err;
    await fixture?.close();
  });

  function searchFiles(when: string): void {
    const names = readdirSync(fixture.liaison.dataDir).filter((name) => name.startsWith("liaison.db"));
    const dump = Buffer.concat(names.map((name) => readFileSync(join(fixture.liaison.dataDir, name))));
    assert.ok(names.length >= 2 && dump.includes(registered), "the search finds nothing at all");
    report(dump, `in the files ${when}`);
  }

  /** Fails with what was found, but not with the secrets themselves. */
  function report(haystack: Buffer, where: string): void {
    const found = [...wiretap.secrets].flatMap(([secret, what]) =>
      traces(haystack, secret).map((form) => `${what} (${form})`),
    );
    for (const [which, address] of Object.entries(typed)) {
      const parts = [address, address.slice(0, address.lastIndexOf("@")), address.toLowerCase()];
      const ours = parts.filter((part) => part !== registered && part.length > 12);
      for (const part of ours) {
        for (const form of traces(haystack, part)) found.push(`the ${which} address (${form})`);
      }
    }
    assert.deepEqual([...new Set(found)], [], where);
  }

  /** The link that was mailed last, put together again from its quoted-printable lines. */
  function mailedLink(): string {
    const source = fixture.smtp.mails.at(-1)?.source.replaceAll("=\r\n", "").replaceAll("=3D", "=") ?? "";
    return /https?:\/\/\S+\/link\/[\w-]+\/[\w-]+/.exec(source)?.[0] ?? assert.fail("no link was mailed");
  }

  const seen = (what: string) => [...wiretap.secrets.values()].some((kind) => kind.startsWith(what));
  const browsers: { ann: UserAgent; waiting: Page; started: StartedSignIn }[] = [];

  it("D5: while an address is asked for, with a mail server that quotes what it refuses", async () => {
    const { liaison, smtp } = fixture;
    smtp.behaviour = (step) => {
      if (step === "RCPT" && smtp.mails.length === 0) return { say: `451 <${registered}> try later` };
      return step === "content" ? { say: `250 queued: ${mailedLink()}` } : undefined;
    };
    const ann = liaison.browser();
    const started = await liaison.customerSource.start({
      scope: "openid profile email organization offline_access",
    });
    const linkStep = await signIn(ann, started, people.ann);
    const waiting = await ann.press(linkStep, "Continue", { email: typed.known });
    searchFiles("with an inquiry waiting");
    browsers.push({ ann, waiting, started });
    for (const email of [typed.unknown, typed.malformed]) await ann.press(linkStep, "Continue", { email });
    await fixture.until("the mail was refused", ([row]) => row?.attempts === 1);
    searchFiles("with a mail waiting");
    smtp.behaviour = (step) => {
      if (step !== "content") return undefined;
      wiretap.add("a mailed secret", mailedLink().split("/").at(-1));
      return { say: `250 queued: ${mailedLink()}` };
    };
    liaison.clock.advance(30);
    await fixture.until("the mail was sent", ([row]) => row?.state === "sent");
    assert.ok(seen("a mailed secret"));
    searchFiles("with a link mailed, and quoted in the server's reply");
    smtp.behaviour = honest;
  });

  it("D5: while the link is carried out, a code is exchanged, and tokens are used", async () => {
    const { liaison } = fixture;
    const { ann, waiting, started } = browsers[0] ?? assert.fail();
    const link = mailedLink();
    assert.equal(
      (await openLink(liaison.browser(), link, people.eve)).heading,
      "This link is for another account",
    );
    const hesitation = await almostCarryOut(link, people.ann);
    searchFiles("with a sign-in under way at the upstream");
    assert.equal((await hesitation.goOn()).heading, "Your account is linked");
    const end = await ann.follow(waiting, /opened the link/);
    assert.ok(end.url.searchParams.has("code"), end.url.href);
    wiretap.add("code", end.url.searchParams.get("code"));
    searchFiles("with a code that nobody has used");
    const tokens = await liaison.customerSource.exchange(end.url, started);
    assert.ok(tokens.refresh_token);
    searchFiles("with tokens in use");
    await liaison.customerSource.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
    const refreshed = await liaison.customerSource.refresh(tokens.refresh_token);
    await liaison.customerSource.introspect(refreshed.access_token);
    searchFiles("after a refresh");
    await assert.rejects(liaison.customerSource.refresh(tokens.refresh_token));
    await assert.rejects(liaison.customerSource.exchange(end.url, started));
    const again = await ann.visit((await liaison.customerSource.start({ prompt: "select_account" })).url);
    assert.notEqual(again.status, 500);
    await ann.visit(`${liaison.issuer}/session/end?id_token_hint=${tokens.id_token}`);
  });

  it("D6: while everything fails that can", async () => {
    const { liaison } = fixture;
    const { customerSource, issuer } = liaison;
    const browser = hesitant();
    const started = await customerSource.start();
    const upstreamPage = await browser.press(await browser.visit(started.url), /Fabrikam ID/);
    const { url: callback } = await signInUpstream(browser, upstreamPage, people.ben);
    wiretap.add("code", callback.searchParams.get("code"));
    wiretap.add("state", callback.searchParams.get("state"));
    const forged = new URL(callback);
    forged.searchParams.set("code", "a-code-that-the-upstream-never-gave");
    const stolen = await liaison.browser().visit(callback);
    assert.equal(stolen.status, 400);
    assert.ok((await browser.once(forged)).status >= 400);
    const other = liaison.browser();
    const linkStep = await signIn(other, await customerSource.start(), people.ben);
    breakStore = true;
    assert.equal((await other.press(linkStep, "Continue", { email: typed.unknown })).status, 500);
    breakStore = false;

    for (const [path, authorization, form] of [
      [
        "/token",
        "Basic bm90OmEtY2xpZW50LXNlY3JldA==",
        { grant_type: "authorization_code", code: "a-made-up-code-value" },
      ],
      [
        "/token",
        "",
        {
          client_id: "customersource",
          client_secret: portalSecret,
          code: "another-made-up-code",
          grant_type: "x",
        },
      ],
      [
        "/token",
        "",
        { client_id: typed.unknown, client_assertion: "ey.made-up.assertion", grant_type: "refresh_token" },
      ],
      ["/userinfo", "Bearer a-made-up-access-token", {}],
      [`/interaction/${typed.unknown}/address`, "", { csrf: "a-made-up-csrf-token", email: typed.unknown }],
      [`/link/${typed.unknown}/a-made-up-secret-in-a-path`, "", { csrf: "a-made-up-csrf-token" }],
    ] as const) {
      const headers = authorization === "" ? {} : { authorization };
      const answer = await fetch(issuer + path, { method: "POST", body: new URLSearchParams(form), headers });
      assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`);
    }
    const odd = [
      `/authorize?login_hint=${typed.unknown}&client_id=${typed.unknown}`,
      `/${typed.unknown}`,
      "/link/x/y%00z",
    ];
    for (const path of odd) await fetch(issuer + path);
  });

  it("D5: nothing that was ever seen is in the files, open or closed", async () => {
    for (const what of [
      "code",
      "state",
      "nonce",
      "code_verifier",
      "access_token",
      "refresh_token",
      "id_token",
      "csrf",
      "cookie liaison.session",
      "cookie liaison.interaction",
      "cookie liaison.resume",
      "cookie liaison.inquiry",
      "cookie liaison.link",
      "a mailed secret",
      "a portal's secret",
      "the upstream's secret",
      "signing.rs256 d",
      "signing.es256 d",
      "cookies.1",
    ]) {
      assert.ok(seen(what), `${what} was never seen`);
    }
    searchFiles("after the journey");
    await fixture.liaison.app.close();
    await fixture.liaison.store.close();
    const names = readdirSync(fixture.liaison.dataDir);
    const dump = Buffer.concat(names.map((name) => readFileSync(join(fixture.liaison.dataDir, name))));
    report(dump, "in the files when the service has stopped");
  });

  it("D6: nor in any line of the log, at any level, or in what else was printed", () => {
    const log = lines.join("");
    for (const said of [
      "/interaction/:uid/address",
      "POST",
      "the disk is full",
      "tried again",
      "provider refused",
    ]) {
      assert.ok(log.includes(said), `the log says nothing of "${said}"`);
    }
    report(Buffer.from(log), "in the log");
    assert.ok(!log.includes(registered), "the log names a recipient, as the mail server quoted it");
    report(Buffer.from(output.join("")), "in the output of the process");
  });
});
