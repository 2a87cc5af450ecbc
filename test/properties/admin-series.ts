/** A series of calls by one seed, each judged by the document that the service itself serves. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { pino } from "pino";
import { breaks } from "./admin-breaks.ts";
import { type Call, drawOf, type Plan, plansOf, resolve, toRequest } from "./admin-calls.ts";
import { type AdminDeployment, startAdminDeployment } from "./admin-deployment.ts";
import { type ApiOperation, readDocument } from "./admin-document.ts";
import { Pool } from "./admin-pool.ts";
import { semanticRefusal } from "./admin-refusals.ts";
import { RawConnection, type RawRequest, type RawResponse } from "./fuzz-client.ts";

export interface AdminSeries {
  seed: number;
  /** How many calls of each operation the document allows, and how many it doesn't. */
  valid: number;
  invalid: number;
}

export interface AdminTally {
  operations: number;
  calls: number;
  /** How many answers had which status. */
  statuses: Map<string, number>;
  /** How often each thing was broken. */
  broken: Map<string, number>;
  /** Operations that never were carried out. */
  unreached: string[];
}

const API = "/admin/api/v1";
const timeoutMs = 8000;
const enoughFailures = 8;

/** Makes the calls. Throws with what was found wrong, each with the seed, its place and what was sent. */
export async function runAdminCalls(series: AdminSeries): Promise<AdminTally> {
  const logged: string[] = [];
  const deployment = await startAdminDeployment(
    pino({ level: "error" }, { write: (line: string) => void logged.push(line) }),
  );
  try {
    const run = new Run(deployment, series, await readDocument(deployment.liaison.issuer + API));
    await run.meetEverything();
    await run.makeCalls();
    assert.equal(run.failures.length, 0, `\n${run.failures.join("\n\n")}`);
    // Mails to nobody are given up over and over.
    assert.deepEqual(
      logged.filter((line) => !line.includes("is given up")).slice(0, 3),
      [],
      "the application logged errors",
    );
    await run.verifyAudit();
    return run.tally();
  } finally {
    await deployment.liaison.close();
  }
}

class Run {
  readonly failures: string[] = [];
  readonly #deployment: AdminDeployment;
  readonly #series: AdminSeries;
  readonly #operations: readonly ApiOperation[];
  readonly #pool: Pool;
  readonly #connection: RawConnection;
  readonly #host: string;
  readonly #statuses = new Map<string, number>();
  readonly #broken = new Map<string, number>();
  readonly #reached = new Set<string>();
  readonly #nextBreak = new Map<ApiOperation, number>();
  #calls = 0;

  constructor(deployment: AdminDeployment, series: AdminSeries, operations: readonly ApiOperation[]) {
    this.#deployment = deployment;
    this.#series = series;
    this.#operations = operations;
    this.#pool = new Pool(deployment.keyId);
    const { host, port } = new URL(deployment.liaison.issuer);
    this.#host = host;
    this.#connection = new RawConnection(Number(port), timeoutMs);
  }

  /** Lists all that there is before the first call. */
  async meetEverything(): Promise<void> {
    for (const operation of this.#operations) {
      if (!operation.name.startsWith("list") || operation.path.includes("{")) continue;
      const query = operation.inQuery.properties["limit"] === undefined ? {} : { limit: "200" };
      await this.#valid(
        { operation, path: {}, query: query as Record<string, string>, body: undefined, headers: {} },
        "list",
      );
    }
    await this.#valid(this.#bare("listMail", { state: "failed" }), "list");
    await this.#valid(this.#bare("listMail", { state: "held" }), "list");
    this.#reached.clear();
  }

  /** Calls of every operation by turns, so that each meets what the others made. */
  async makeCalls(): Promise<void> {
    const { seed, valid, invalid } = this.#series;
    const numRuns = Math.max(valid, invalid);
    const plans = this.#operations.map((operation, at) => ({
      operation,
      valid: fc.sample(plansOf(operation), { seed: seed + at, numRuns }),
      invalid: fc.sample(plansOf(operation), { seed: seed + 1000 + at, numRuns }),
    }));
    for (let index = 0; index < numRuns; index += 1) {
      for (const { operation, ...drawn } of plans) {
        if (this.failures.length >= enoughFailures) return;
        const [good, bad] = [drawn.valid[index], drawn.invalid[index]];
        if (index < valid && good !== undefined)
          await this.#valid(await this.#callOf(operation, good), `${index} valid`);
        if (index < invalid && bad !== undefined) await this.#invalid(operation, bad, index);
      }
    }
  }

  tally(): AdminTally {
    const unreached = this.#operations.map(({ name }) => name).filter((name) => !this.#reached.has(name));
    const [statuses, broken] = [this.#statuses, this.#broken];
    return { operations: this.#operations.length, calls: this.#calls, statuses, broken, unreached };
  }

  /** After all that the chain of the audit is whole. */
  async verifyAudit(): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const { problem, unsealed } = await this.#verifyOnce(deadline);
      assert.equal(problem, null);
      // Asking is an event itself, which may wait.
      if (unsealed <= 1) return;
    }
  }

  /** Asks for a verification, again while too many others wait, and waits for its end. */
  async #verifyOnce(deadline: number): Promise<{ problem: string | null; unsealed: number }> {
    let call = { ...this.#bare("verifyAudit", {}), body: {} } as Call;
    for (;;) {
      const { status, body } = await this.#send(this.#wire(call));
      assert.ok(Date.now() < deadline, `the audit isn't verified: ${body}`);
      const found = JSON.parse(body) as {
        id: string;
        failure: string | null;
        result: { problem: string | null; unsealed: number } | null;
      };
      if (status < 300) {
        assert.equal(found.failure, null);
        if (found.result !== null) return found.result;
        call = { ...this.#bare("getAuditVerification", {}), path: { id: found.id } };
      }
      await pause(200);
    }
  }

  async #valid(call: Call, place: string): Promise<void> {
    const { operation } = call;
    assert.ok(operation.allows("path", call.path), `${operation.name}: the generator made another path`);
    assert.ok(
      operation.allows("body", call.body ?? {}),
      `${operation.name}: the generator made another body`,
    );
    const request = this.#wire(call);
    const answer = await this.#judged(operation, request, place);
    const why = semanticRefusal(operation, answer);
    if (why !== undefined) this.#fail(operation, place, [why], request, answer);
    if (answer.status >= 300) return;
    this.#reached.add(operation.name);
    this.#pool.learn(operation.name, operation.path, JSON.parse(answer.body));
  }

  async #invalid(operation: ApiOperation, plan: Plan, index: number): Promise<void> {
    const call = await this.#callOf(operation, plan);
    const draw = drawOf(plan.picks.toReversed());
    // By turns, so that no break is left to chance.
    const from = this.#nextBreak.get(operation) ?? 0;
    for (let turn = from; turn < from + breaks.length; turn += 1) {
      const broken = breaks[turn % breaks.length];
      const request = broken?.apply(call, draw, (one) => this.#wire(one));
      if (broken === undefined || request === undefined) continue;
      this.#nextBreak.set(operation, turn + 1);
      this.#broken.set(broken.name, (this.#broken.get(broken.name) ?? 0) + 1);
      const place = `${index} ${broken.name}`;
      const answer = await this.#judged(operation, request, place);
      if (!broken.statuses.includes(answer.status)) {
        this.#fail(
          operation,
          place,
          [`${answer.status} instead of ${broken.statuses.join(" or ")}`],
          request,
          answer,
        );
      }
      return;
    }
    assert.fail(`${operation.name}: nothing can be broken`);
  }

  async #callOf(operation: ApiOperation, plan: Plan): Promise<Call> {
    const draw = drawOf(plan.picks);
    const call = resolve(operation, plan, this.#pool, draw, this.#deployment.liaison.clock.now());
    if (!operation.isConditional) return call;
    const reading = this.#operations.find(({ method, path }) => method === "GET" && path === operation.path);
    if (reading === undefined) return assert.fail(`${operation.name}: nothing tells the revision`);
    const { headers } = await this.#send(
      this.#wire({ ...call, operation: reading, body: undefined, query: {} }),
    );
    const etag = headers.get("etag");
    return {
      ...call,
      headers: { ...call.headers, "if-match": draw(10) < 8 && etag !== undefined ? etag : '"older"' },
    };
  }

  async #judged(operation: ApiOperation, request: RawRequest, place: string): Promise<RawResponse> {
    const answer = await this.#send(request);
    this.#statuses.set(String(answer.status), (this.#statuses.get(String(answer.status)) ?? 0) + 1);
    const faults = operation.faultsOf(answer);
    if (answer.status >= 500) faults.push(`status ${answer.status}`);
    if (faults.length > 0) this.#fail(operation, place, faults, request, answer);
    return answer;
  }

  async #send(request: RawRequest): Promise<RawResponse> {
    this.#calls += 1;
    const outcome = await this.#connection.exchange(request);
    return typeof outcome === "string" ? { status: 0, headers: new Map(), body: outcome } : outcome;
  }

  #bare(name: string, query: Record<string, string>): Call {
    const operation = this.#operations.find((one) => one.name === name) ?? assert.fail(`no ${name}`);
    return { operation, path: {}, query, body: undefined, headers: {} };
  }

  #wire(call: Call): RawRequest {
    return toRequest(API, this.#host, this.#deployment.token, call);
  }

  #fail(
    { name }: ApiOperation,
    place: string,
    faults: string[],
    request: RawRequest,
    answer: RawResponse,
  ): void {
    const sent = JSON.stringify({ ...request, body: request.body.toString("latin1").slice(0, 1500) }).slice(
      0,
      3000,
    );
    this.failures.push(
      `seed ${this.#series.seed}, ${name}, call ${place}: ` +
        `${faults.join("; ")}\n${sent}\n${answer.status} ${answer.body.slice(0, 600)}`,
    );
  }
}
