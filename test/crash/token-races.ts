/**
 * Two concurrent exchanges of one authorization code, and of one refresh token, one at each of two processes:
 * one wins, the other gets `invalid_grant`, and whatever either of them holds is refused afterwards (RFC
 * 6749, 4.1.2; RFC 9700, 4.14.2).
 */

import assert from "node:assert/strict";
import { request } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { portalSecret } from "../support/liaison.ts";
import type { StartedSignIn, TestPortal } from "../support/portal.ts";
import type { UserAgent } from "../support/user-agent.ts";
import { type Random, seededRandom } from "./random.ts";
import type { TwoBrokers } from "./two-brokers.ts";

export interface RaceSeries {
  two: TwoBrokers;
  /**
   * A browser with a session and one admissible profile: each authorization request gives a code straight
   * away.
   */
  browser: UserAgent;
  seed: number;
  races: number;
}

/** What a series came to. */
export interface RaceTally {
  races: number;
  /** In how many both had read it unconsumed, so that only the conditional write stood between them. */
  closeRaces: number;
  /** How often each process won. */
  wins: number[];
}

interface Tokens {
  access_token: string;
  refresh_token: string;
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** Races for codes; what the winner got must be dead. */
export async function raceForCodes(series: RaceSeries): Promise<RaceTally> {
  return await runSeries(series, async (course) => {
    const { code } = await course.signIn();
    const { winner, tokens } = await course.race(code);
    await course.assertDead(tokens);
    return winner;
  });
}

/** Races for refresh tokens; what the winner got, and what both had before, must be dead. */
export async function raceForRefreshTokens(series: RaceSeries): Promise<RaceTally> {
  return await runSeries(series, async (course) => {
    const { code } = await course.signIn();
    const before = tokensIn(await course.post(0, code));
    await course.assertAlive(before);
    const { winner, tokens } = await course.race({
      grant_type: "refresh_token",
      refresh_token: before.refresh_token,
    });
    await course.assertDead(tokens);
    await course.assertDead(before);
    return winner;
  });
}

async function runSeries(
  series: RaceSeries,
  runOne: (course: Course) => Promise<number>,
): Promise<RaceTally> {
  const { brokers, deployment } = series.two;
  const lost = () => brokers.reduce((sum, { lostRaces }) => sum + lostRaces.length, 0);
  const course = new Course(
    brokers.map(({ port }) => port),
    await deployment.portal("openid profile email organization offline_access"),
    series.browser,
    seededRandom(series.seed),
  );
  const tally: RaceTally = { races: 0, closeRaces: 0, wins: brokers.map(() => 0) };
  const lostBefore = lost();
  for (let turn = 0; turn < series.races; turn += 1) {
    const winner = await runOne(course);
    tally.wins[winner] = (tally.wins[winner] ?? 0) + 1;
    tally.races += 1;
  }
  tally.closeRaces = lost() - lostBefore;
  return tally;
}

/** The portal's side of a race. */
class Course {
  readonly #ports: number[];
  readonly #portal: TestPortal;
  readonly #browser: UserAgent;
  readonly #random: Random;

  constructor(ports: number[], portal: TestPortal, browser: UserAgent, random: Random) {
    this.#ports = ports;
    this.#portal = portal;
    this.#browser = browser;
    this.#random = random;
  }

  /** An authorization code by single sign-on, as the parameters that exchange it. */
  async signIn(): Promise<{ code: Record<string, string> }> {
    const started: StartedSignIn = await this.#portal.start();
    const end = await this.#browser.visit(started.url);
    assert.equal(end.status, 0, `straight to the portal, not: ${end.text}`);
    return {
      code: {
        grant_type: "authorization_code",
        code: end.url.searchParams.get("code") ?? "",
        redirect_uri: this.#portal.options.redirectUri,
        code_verifier: started.codeVerifier,
      },
    };
  }

  /** The same request to each process at once: both have all but its last byte when they are let go. */
  async race(parameters: Record<string, string>): Promise<{ winner: number; tokens: Tokens }> {
    const paused = this.#ports.map((port) => pausedRequest(port, this.#headers(), parameters));
    await Promise.all(paused.map(({ written }) => written));
    await pause(2);
    const released = this.#random.below(2) === 0 ? paused : paused.toReversed();
    for (const { release } of released) release();
    const answers = await Promise.all(paused.map(({ answer }) => answer));
    const winner = answers.findIndex(({ status }) => status === 200);
    const winnings = answers[winner];
    assert.ok(winnings !== undefined, `nobody won: ${JSON.stringify(answers)}`);
    const losers = answers.filter((answer) => answer !== winnings);
    assert.deepEqual(
      losers.map(({ status, body }) => [status, body["error"]]),
      losers.map(() => [400, "invalid_grant"]),
    );
    return { winner, tokens: tokensIn(winnings) };
  }

  async post(process: number, parameters: Record<string, string>): Promise<Answer> {
    return await this.#ask(process, "/token", parameters);
  }

  /** Neither process serves the tokens any more, in whatever way they are used. */
  async assertDead(tokens: Tokens): Promise<void> {
    for (const index of this.#ports.keys()) {
      assert.equal(await this.#userinfo(index, tokens), 401, "userinfo refuses");
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        assert.deepEqual((await this.#ask(index, "/introspect", { token })).body, { active: false });
      }
      const { status, body } = await this.post(index, refreshing(tokens));
      assert.deepEqual([status, body["error"]], [400, "invalid_grant"]);
    }
  }

  async assertAlive(tokens: Tokens): Promise<void> {
    for (const index of this.#ports.keys()) {
      assert.equal(await this.#userinfo(index, tokens), 200);
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        assert.equal((await this.#ask(index, "/introspect", { token })).body["active"], true);
      }
    }
  }

  async #userinfo(process: number, tokens: Tokens): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#ports[process]}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    await response.arrayBuffer();
    return response.status;
  }

  async #ask(process: number, path: string, parameters: Record<string, string>): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.#ports[process]}${path}`, {
      method: "POST",
      headers: this.#headers(),
      body: new URLSearchParams(parameters),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  #headers(): Record<string, string> {
    const credentials = [this.#portal.options.clientId, portalSecret].map(encodeURIComponent).join(":");
    return { accept: "application/json", authorization: `Basic ${btoa(credentials)}` };
  }
}

interface PausedRequest {
  /** All but the last byte is on its way. */
  written: Promise<void>;
  release(): void;
  answer: Promise<Answer>;
}

/** A request to the token endpoint that lacks its last byte until it is released. */
function pausedRequest(
  port: number,
  headers: Record<string, string>,
  parameters: Record<string, string>,
): PausedRequest {
  const form = new URLSearchParams(parameters).toString();
  const outgoing = request({
    host: "127.0.0.1",
    port,
    path: "/token",
    method: "POST",
    agent: false,
    headers: {
      ...headers,
      "content-type": "application/x-www-form-urlencoded",
      "content-length": form.length,
    },
  });
  const answer = new Promise<Answer>((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      json(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, body: body as Record<string, unknown> }),
        reject,
      );
    });
  });
  const written = new Promise<void>((resolve) => outgoing.write(form.slice(0, -1), () => resolve()));
  return { written, release: () => outgoing.end(form.slice(-1)), answer };
}

function refreshing({ refresh_token }: Tokens): Record<string, string> {
  return { grant_type: "refresh_token", refresh_token };
}

function tokensIn({ status, body }: Answer): Tokens {
  const { access_token, refresh_token } = body;
  assert.ok(
    typeof access_token === "string" && typeof refresh_token === "string",
    `${status} ${JSON.stringify(body)}`,
  );
  return { access_token, refresh_token };
}
