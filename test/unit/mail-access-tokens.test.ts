/** Mail servers that take access tokens alone (XOAUTH2), beside a token endpoint that gives them. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { SMTPServer } from "smtp-server";
import type { Config } from "../../src/config/schema.ts";
import { aLetter, failureOf, sendOnce, transportTo } from "../support/smtp-transport.ts";

type OAuth2 = NonNullable<Config["mail"]["smtp"]["oauth2"]>;

const secret = "the-secret-of-the-client";
const mailbox = "no-reply@contoso.example";

/** Gives tokens by number, as it is told, and keeps what it was asked. */
class TokenEndpoint {
  readonly asked: URLSearchParams[] = [];
  answer: (parameters: URLSearchParams, response: ServerResponse) => void = (_, response) =>
    this.give(response);
  readonly #server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const parameters = new URLSearchParams(body);
    this.asked.push(parameters);
    this.answer(parameters, response);
  });

  get latest(): string {
    return `token-${this.asked.length}`;
  }
  give(response: ServerResponse, more: object = {}): void {
    this.#json(response, 200, { access_token: this.latest, token_type: "Bearer", expires_in: 3600, ...more });
  }
  refuse(response: ServerResponse, status: number, error: string): void {
    this.#json(response, status, { error, error_description: `the secret ${secret} is wrong` });
  }
  #json(response: ServerResponse, status: number, body: object): void {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }
  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/tenant/oauth2/v2.0/token`;
  }
  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe("XOAUTH2", () => {
  const endpoint = new TokenEndpoint();
  const shown: { username: string | undefined; token: string | undefined }[] = [];
  const received: string[] = [];
  let takes: (token: string) => boolean;
  let smtp: SMTPServer;
  let port: number;
  let oauth2: OAuth2;

  before(async () => {
    const token_endpoint = await endpoint.listen();
    oauth2 = {
      token_endpoint,
      client_id: "liaison",
      client_secret: secret,
      scope: "https://mail.example/.default",
      refresh_token: null,
    };
    smtp = new SMTPServer({
      authMethods: ["XOAUTH2"],
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      logger: false,
      onAuth: ({ username, accessToken }, _session, done) => {
        shown.push({ username, token: accessToken });
        if (takes(accessToken ?? "")) done(null, { user: username });
        else done(null, { data: { status: "401", schemes: "bearer", scope: "mail" } } as never);
      },
      onData: (stream, session, done) => {
        received.push(session.user ?? "");
        stream.resume().on("end", done);
      },
    });
    smtp.on("error", () => {});
    const listening = smtp.listen(0, "127.0.0.1");
    await once(listening, "listening");
    port = (listening.address() as AddressInfo).port;
  });
  after(async () => {
    endpoint.close();
    await new Promise<void>((resolve) => smtp.close(() => resolve()));
  });
  afterEach(() => {
    for (const list of [endpoint.asked, shown, received]) list.splice(0);
    endpoint.answer = (_, response) => endpoint.give(response);
  });

  const settings = (more: Partial<OAuth2> = {}) => ({
    smtp: { username: mailbox, oauth2: { ...oauth2, ...more }, max_connections: 4 },
  });

  it(
    "client credentials: the token is shown with the mailbox's name, and asked for once for all " +
      "connections",
    async () => {
      takes = (token) => token === "token-1";
      const transport = transportTo(port, settings());
      await Promise.all(
        [1, 2, 3, 4].map((n) => transport.send({ ...aLetter, messageId: `${n}@contoso.example` })),
      );
      await transport.close();
      assert.equal(received.length, 4);
      assert.deepEqual(
        new Set(shown.map(({ username, token }) => `${username} ${token}`)),
        new Set([`${mailbox} token-1`]),
      );
      assert.deepEqual(
        endpoint.asked.map((parameters) => Object.fromEntries(parameters)),
        [
          {
            grant_type: "client_credentials",
            client_id: "liaison",
            client_secret: secret,
            scope: "https://mail.example/.default",
          },
        ],
      );
    },
  );

  it("a refresh token: it is used, and so is the one that replaces it", async () => {
    takes = () => true;
    endpoint.answer = (_, response) =>
      endpoint.give(response, { refresh_token: `refresh-${endpoint.asked.length}`, expires_in: 1 });
    const transport = transportTo(port, {
      smtp: { ...settings({ refresh_token: "refresh-0", scope: null }).smtp, max_connections: 2 },
    });
    await transport.send(aLetter);
    // The first connection is busy with one of them; a token about to end isn't shown on the second.
    await Promise.all([transport.send(aLetter), transport.send(aLetter)]);
    assert.equal(endpoint.asked.length, 2);
    assert.equal(endpoint.asked[1]?.get("refresh_token"), "refresh-1");
    assert.deepEqual(Object.fromEntries(endpoint.asked[0] ?? []), {
      grant_type: "refresh_token",
      client_id: "liaison",
      client_secret: secret,
      refresh_token: "refresh-0",
    });
    await transport.close();
  });

  it("a token that the server takes no more is replaced once", async () => {
    takes = (token) => token === "token-2";
    await sendOnce(port, settings());
    assert.deepEqual(
      shown.map(({ token }) => token),
      ["token-1", "token-2"],
    );
    assert.equal(received.length, 1);
  });

  it("no token is taken: kept, as a refused authentication", async () => {
    takes = () => false;
    const error = await failureOf(sendOnce(port, settings()));
    assert.deepEqual([error.failure, error.permanent], ["authentication_refused", false]);
    assert.match(error.message, /access token for mail\.smtp\.username/);
    assert.deepEqual(received, []);
  });

  const refusals: [name: string, answer: TokenEndpoint["answer"], failure: string, words: RegExp][] = [
    [
      "an unknown client",
      (_, r) => endpoint.refuse(r, 401, "invalid_client"),
      "access_token_refused",
      /invalid_client 401/,
    ],
    [
      "a dead refresh token",
      (_, r) => endpoint.refuse(r, 400, "invalid_grant"),
      "access_token_refused",
      /invalid_grant 400/,
    ],
    [
      "an error of its own",
      (_, r) => void r.writeHead(503).end("busy"),
      "access_token_unavailable",
      /token_endpoint/,
    ],
    [
      "a page",
      (_, r) => void r.writeHead(200, { "content-type": "text/html" }).end("<p>"),
      "access_token_unavailable",
      /usable/,
    ],
    ["silence", () => {}, "access_token_unavailable", /token_endpoint/],
    ["a hang-up", (_, r) => void r.destroy(), "access_token_unavailable", /token_endpoint/],
  ];
  for (const [name, answer, failure, words] of refusals) {
    it(`the endpoint answers with ${name}: kept, and no secret is told`, async () => {
      takes = () => true;
      endpoint.answer = answer;
      const { smtp: some } = settings({ refresh_token: "the-refresh-token" });
      const error = await failureOf(sendOnce(port, { smtp: { ...some, timeout_seconds: 2 } }));
      assert.deepEqual(
        [error.failure, error.permanent, error.concerns],
        [failure, false, "server"],
        error.message,
      );
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /the-/);
      assert.deepEqual([shown, received], [[], []]);
    });
  }

  it("a password isn't enough there, and the reason says what is", async () => {
    const error = await failureOf(sendOnce(port, { smtp: { username: mailbox, password: "the-password" } }));
    assert.equal(error.failure, "authentication_refused");
    assert.match(error.message, /oauth2/);
  });
});
