/**
 * A deployment in which every operation of the administration finds something to do, and a key that may call
 * all of them.
 */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { operations } from "../../src/admin/definitions/operations.ts";
import { createOfflineAdministration } from "../../src/admin/offline-administration.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type Liaison, register, signIn, startLiaison, type TestPerson } from "../support/liaison.ts";
import { aMail, anId } from "../support/records.ts";
import { STAGED } from "./admin-pool.ts";

export interface AdminDeployment {
  liaison: Liaison;
  /** The id of the key, and what is sent of it. */
  keyId: string;
  token: string;
}

/** People who are linked and signed in, each once; mails of each kind that somebody can send. */
const many = 24;
const once = { limit: 1, window_seconds: 86_400 };

export async function startAdminDeployment(logger: Logger): Promise<AdminDeployment> {
  const crowd = Array.from({ length: many }, (_, index): TestPerson => {
    const username = `person-${index}`;
    const email = `${username}@consumer.example`;
    return { username, password: `${username}-password`, name: `Person ${index}`, email };
  });
  const liaison = await startLiaison({
    crowd,
    logger,
    config: (base) => ({
      ...base,
      // Where made-up addresses on loopback lead (admin-values.ts), which are good ones where they are named.
      private_hosts: ["localhost:8080"],
      limits: { ...(base["limits"] as object), mails_per_mailbox: once, mails_per_profile: once },
    }),
  });
  try {
    await signPeopleIn(liaison, crowd);
    await leaveMails(liaison);
    const { service, principal } = await createOfflineAdministration(
      { ...liaison, checksOutputs: true },
      "test",
    );
    await service.call(operations.administrators.invite, principal, { email: "first@contoso.example" });
    const input = { name: "the run's own", scopes: [...principal.scopes] };
    const { id, key } = (await service.call(operations.apiKeys.create, principal, input)).output;
    return { liaison, keyId: id, token: key };
  } catch (error) {
    await liaison.close();
    throw error;
  }
}

async function signPeopleIn(liaison: Liaison, crowd: readonly TestPerson[]): Promise<void> {
  const profiles = crowd.map(({ email }, index) => ({ id: `${STAGED}${index}`, email }));
  await register(liaison, { id: asOrganizationId(`${STAGED}organization`) }, profiles);
  for (const [index, person] of crowd.entries()) {
    await bindTo(liaison, person, `${STAGED}${index}`);
    const page = await signIn(liaison.browser(), await liaison.customerSource.start(), person);
    assert.ok(page.url.searchParams.has("code"), page.text);
  }
}

/** Some that no server can be told to deliver, and some beyond what a mailbox may get. */
async function leaveMails({ store, clock }: Liaison): Promise<void> {
  const limit = { limit: 1, windowSeconds: once.window_seconds };
  const leaveDeferred = async (now: number) => {
    const mailbox = { hourly: limit, daily: limit, key: "held@test.example" };
    const throttle = { mailbox, profile: { ...limit, key: anId("profile") } };
    await store.outbox.enqueue(aMail({ to: "held@test.example", throttle }), [], now);
  };
  const deadline = Date.now() + 10_000;
  const count = async (state: "failed" | "held") =>
    (await store.outbox.list({ states: [state], limit: 100 })).length;
  // The mail that carries what is deferred has gone for this hour: what comes now stays deferred.
  for (let index = 0; index < 3; index += 1) await leaveDeferred(clock.now() - 61_000);
  while ((await count("held")) > 0) {
    assert.ok(Date.now() < deadline, "the first mails stay deferred");
    await pause(50);
  }
  for (let index = 0; index < many; index += 1) {
    await store.outbox.enqueue(aMail({ to: "nobody" }), [], clock.now());
    await leaveDeferred(clock.now());
  }
  while ((await count("failed")) < many || (await count("held")) < many - 1) {
    assert.ok(Date.now() < deadline, "the mails are not there");
    await pause(50);
  }
}
