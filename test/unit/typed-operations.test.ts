/**
 * That operations and those who call them agree, by types: each statement that is marked here is an error of
 * tsc, and `npm run check` fails where one of them is none any more. That outputs are what their schemas say
 * is held at run time, in tests.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import type { ConsoleRequest } from "../../src/admin/console/request.ts";
import { type Changes, define, type Typed } from "../../src/admin/definitions/definition.ts";
import { listOf, organization } from "../../src/admin/definitions/fields.ts";
import { definitions, operations } from "../../src/admin/definitions/operations.ts";
import {
  createOfflineAdministration,
  type OfflineAdministration,
} from "../../src/admin/offline-administration.ts";
import type { HandlersOf } from "../../src/admin/operation.ts";
import type { Handlers } from "../../src/admin/operations.ts";
import type { Target } from "../../src/cli/administration/targets.ts";
import { systemClock } from "../../src/clock.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import type { OrganizationView } from "../../src/ui/console/views.ts";
import { register, testConfig } from "../support/liaison.ts";

/** Never run: the pages as they must not be written. */
export async function inTheConsole(request: ConsoleRequest): Promise<void> {
  // @ts-expect-error no operation is called so
  await request.call(operations.organizations.gett, { id: "northwind" });
  // @ts-expect-error nor is one called by its name
  await request.call("getOrganization", { id: "northwind" });
  // @ts-expect-error the input has no such key
  await request.call(operations.organizations.get, { ident: "northwind" });
  // @ts-expect-error it has one more
  await request.call(operations.organizations.get, { id: "northwind", limit: 1 });
  // @ts-expect-error a value of the wrong type
  await request.call(operations.organizations.list, { limit: "25" });
  // @ts-expect-error a form's field that the input lacks
  await request.submit(operations.profiles.create, { organization_id: "n", email: "", name: "", role: "" });
  const read = await request.read(operations.organizations.get, { id: "northwind" });
  // @ts-expect-error the output has no such field
  read.output.accountNumber;
  const { items } = await request.call(operations.profiles.list, {});
  // @ts-expect-error nor have the records of a list
  items[0]?.organisation_id;
}

/** Never run: typed forms, views, commands and handlers as they must not be written. */
export async function elsewhere(target: Target, all: Handlers): Promise<unknown[]> {
  // @ts-expect-error an edit has no such field
  const changes: Changes<typeof operations.organizations.edit> = { nam: "Northwind" };
  // @ts-expect-error a creation lacks what it needs
  const typed: Typed<typeof operations.organizations.create.input> = { name: "Northwind" };
  // @ts-expect-error a view has what its operation gives, and no more
  const inView = (view: OrganizationView) => view.phone;
  // @ts-expect-error a command's input
  await target.call(operations.inquiries.get, { inquiry: "i" });
  // @ts-expect-error a command's output
  (await target.call(operations.mail.list, {})).output.items[0]?.sentAt;
  const { list, release } = all.mail;
  // @ts-expect-error a handler lacks
  const lacking: HandlersOf<typeof operations.mail> = { list, release };
  // @ts-expect-error a handler is one too many
  const another: HandlersOf<typeof operations.upstreams> = { ...all.upstreams, list, get: list };
  const renamed: Partial<HandlersOf<typeof operations.clients>> = {
    // @ts-expect-error a handler gives a field by another name
    impact: async () => ({ output: { signIns: 1, last_used_at: null } }),
  };
  const shown = define({
    name: "x",
    summary: "x",
    scope: "admin:read",
    method: "GET",
    path: "/x",
    input: z.strictObject({}),
    output: listOf(organization),
    // @ts-expect-error a column shows a field that the records lack
    command: { name: "x", examples: [], columns: { account: (one) => one.accountNumber } },
  });
  return [changes, typed, inView, lacking, another, renamed, shown];
}

describe("operations", () => {
  let folder: string;
  let config: Config;
  let store: Store;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-operations-"));
    config = configSchema.parse(
      testConfig({ broker: 4400, upstream: 1, smtp: 2 }, join(folder, "liaison.db")),
    );
    store = await openStore({ ...config.storage, encryptionKey: config.encryption_key });
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const local = (options: { checksOutputs?: boolean }) =>
    createOfflineAdministration({ config, store, clock: systemClock, ...options }, "test");

  it("each has a name and an address of its own", () => {
    assert.equal(new Set(definitions.map(({ name }) => name)).size, definitions.length);
    assert.equal(
      new Set(definitions.map(({ method, path }) => `${method} ${path}`)).size,
      definitions.length,
    );
    const commands = definitions.flatMap(({ command }) => command?.name ?? []);
    assert.equal(new Set(commands).size, commands.length);
    assert.ok(definitions.length > 40);
  });

  it("an output that isn't what its schema says is a fault where outputs are checked", async () => {
    const [checked, unchecked] = [await local({ checksOutputs: true }), await local({})];
    const listed = async ({ service, principal }: OfflineAdministration) =>
      (await service.call(operations.organizations.list, principal, {})).output.items.length;
    assert.equal(await listed(checked), 0);
    await register(
      { store, clock: systemClock },
      { id: asOrganizationId("longer-than-an-id-may-be".repeat(6)) },
      [],
    );
    assert.equal(await listed(unchecked), 1);
    await assert.rejects(listed(checked), z.ZodError);
  });

  it("what is no operation is carried out by nobody", async () => {
    const { service, principal } = await local({});
    const copy = { ...operations.organizations.list };
    await assert.rejects(service.call(copy, principal, {}), TypeError);
  });
});
