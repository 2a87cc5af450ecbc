/**
 * The last day of a service plan is the same day wherever it is typed and wherever it is shown: console, API,
 * commands on the store and by a broker elsewhere, import and export; whatever zone a command's machine lives
 * in, and on days when clocks change.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type AdminFixture, startAdminFixture } from "../support/admin-fixture.ts";
import { type ConsolePerson, filled, openConsole, send } from "../support/console-person.ts";
import { aRow, bin, csvOf } from "../support/import-fixture.ts";

/** In the deployment's zone, Europe/Copenhagen: the day that has 23 hours, and the one that has 25. */
const days = [
  ["2027-03-28", "2027-03-28T22:00:00.000Z", "28 Mar 2027"],
  ["2027-10-31", "2027-10-31T23:00:00.000Z", "31 Oct 2027"],
] as const;
const zones = ["UTC", "America/Los_Angeles", "Pacific/Auckland"] as const;

interface Shown {
  name: string;
  plan: { status: string; expires_at: string | null; last_day: string | null; time_zone: string };
}

describe("the last day of a service plan", () => {
  let fixture: AdminFixture;
  let console: ConsolePerson;
  let where: Record<"local" | "remote", string[]>;

  before(async () => {
    let written: Record<string, unknown> = {};
    fixture = await startAdminFixture({
      embedded: true,
      config: (base) => {
        written = base;
        return base;
      },
    });
    const [config, token] = [join(fixture.dataDir, "liaison.yaml"), join(fixture.dataDir, "token")];
    await writeFile(config, JSON.stringify(written));
    await writeFile(token, fixture.owner.token ?? "");
    where = { local: ["--config", config], remote: ["--url", fixture.issuer, "--token-file", token] };
    console = await openConsole(fixture);
  });
  after(() => fixture?.close());

  /** Runs a command in a process that lives in a time zone. */
  async function liaison(zone: string, words: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [bin, ...words], { env: { PATH: process.env["PATH"], TZ: zone } });
    const said = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said.stderr += text;
    });
    child.stdin.end();
    const [code] = (await once(child, "close")) as [number | null];
    assert.equal(code, 0, said.stderr);
    return said.stdout;
  }

  async function assertEnds(id: string, [day, end, short]: (typeof days)[number]): Promise<void> {
    const { plan } = await fixture.owner.get<Shown>(`/organizations/${id}`);
    const zone = { time_zone: "Europe/Copenhagen" };
    assert.deepEqual(plan, { status: "active", expires_at: end, last_day: day, ...zone }, id);
    assert.match((await console.open(`/organizations/${id}`)).text, new RegExp(`last day ${short}`), id);
  }

  for (const zone of zones) {
    it(`typed at a command whose machine is in ${zone}, and imported there`, async () => {
      const id = (face: string, day: string) => `${face}-${zone.replaceAll("/", "-")}-${day}`;
      const typed = async (face: "local" | "remote", one: (typeof days)[number]) => {
        const [day] = one;
        const words = ["--account-number", "A-1", "--kind", "customer", "--plan-status", "active"];
        const create = [
          "orgs",
          "create",
          "--id",
          id(face, day),
          "--name",
          "Northwind",
          "--plan-expires",
          day,
        ];
        const said = await liaison(zone, [...create, ...words, ...where[face]]);
        assert.match(said, new RegExp(`\n {2}last day +${day}\n`));
        await assertEnds(id(face, day), one);
      };
      await Promise.all(days.flatMap((one) => [typed("local", one), typed("remote", one)]));
      const rows = days.map(([day]) =>
        aRow({
          organization_id: id("import", day),
          profile_id: id("import-p", day),
          plan_expires: day,
          plan_status: "active",
        }),
      );
      const file = join(fixture.dataDir, "directory.csv");
      await writeFile(file, csvOf(rows));
      await liaison(zone, ["import", file, ...where.local]);
      for (const one of days) await assertEnds(id("import", one[0]), one);
      const listed = await liaison(zone, ["orgs", "list", "--all", ...where.remote]);
      assert.match(listed, new RegExp(`^${id("remote", days[0][0])} .* 2027-03-28 `, "m"));
      const [[first], [second]] = days;
      await liaison(zone, ["orgs", "edit", id("remote", first), "--plan-expires", second, ...where.remote]);
      const exported = await liaison(zone, ["audit", "export", "--format", "csv", ...where.remote]);
      const line = exported.split("\r\n").find((text) => text.includes("planExpiresAt")) ?? "";
      assert.match(line, new RegExp(`,${id("remote", first)},.*""planLastDay"":""${second}""`));
    });
  }

  for (const one of days) {
    const [day, end] = one;
    it(`typed on the pages, and sent to the API: ${day}`, async () => {
      const id = `page-${day}`;
      const form = filled(await console.open("/organizations/new"), {
        name: "Fabrikam",
        account_number: "A-2",
        plan_last_day: day,
      });
      const made = await send(console.browser, form);
      const at = made.url.pathname.split("/").at(-1) ?? "";
      await assertEnds(at, one);
      const body = {
        id,
        name: "N",
        account_number: "A-3",
        kind: "customer",
        plan: { status: "active", last_day: day },
      };
      await fixture.owner.done("POST", "/organizations", { body });
      await assertEnds(id, one);
      for (const plan of [
        { status: "active", expires_at: null },
        { status: "active", expires_at: end },
      ]) {
        await fixture.owner.edit(`/organizations/${id}`, { plan });
      }
      await assertEnds(id, one);
    });
  }

  it("an end within a day stays, whatever else is edited: by page, by command, sent back whole", async () => {
    const within = "2027-06-15T10:30:00.000Z";
    const path = "/organizations/within";
    const plan = { status: "active", expires_at: within };
    const body = { id: "within", name: "Within", account_number: "A-4", kind: "customer", plan };
    await fixture.owner.done("POST", "/organizations", { body });
    const ends = async () => (await fixture.owner.get<Shown>(path)).plan.expires_at;

    await send(console.browser, filled(await console.open(`${path}/edit`), { name: "Renamed" }));
    assert.deepEqual([await ends(), (await fixture.owner.get<Shown>(path)).name], [within, "Renamed"]);
    await send(console.browser, filled(await console.open(`${path}/edit`), { plan_status: "suspended" }));
    assert.equal(await ends(), within);
    await liaison("Pacific/Auckland", ["orgs", "edit", "within", "--plan-status", "active", ...where.remote]);
    assert.equal(await ends(), within);
    const read = await fixture.owner.get<Shown>(path);
    await fixture.owner.edit(path, { plan: { ...read.plan, status: "none" } });
    assert.equal(await ends(), within);
    await fixture.owner.edit(path, { plan: { ...read.plan, last_day: "2027-06-16" } });
    assert.equal(await ends(), "2027-06-16T22:00:00.000Z");
  });

  it("a day that is none, another zone, and one that contradicts the instant are refused", async () => {
    const etag = await fixture.owner.etag("/organizations/within");
    const cases: [plan: object, field: string][] = [
      [{ status: "active", last_day: "2027-02-30" }, "plan.last_day"],
      [{ status: "active", last_day: "2027-06-17", expires_at: "2027-06-20T10:00:00Z" }, "plan.last_day"],
      [{ status: "active", last_day: "2027-06-17", time_zone: "UTC" }, "plan.time_zone"],
    ];
    for (const [plan, field] of cases) {
      const call = { body: { plan }, headers: { "if-match": etag } };
      const { status, body } = await fixture.owner.call<{ errors: { field: string }[] }>(
        "PATCH",
        "/organizations/within",
        call,
      );
      assert.deepEqual([status, body.errors.map((one) => one.field)], [400, [field]]);
    }
  });
});
