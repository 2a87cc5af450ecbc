/**
 * What the administration's lists and searches take with a hundred and with a hundred thousand profiles:
 *
 *   node bench/lists.ts [ROUNDS]
 *
 * Three deployments on the embedded back end take turns in one run: two with a hundred profiles, one the
 * control of the other, and one with a hundred thousand.
 */

import { operations } from "../src/admin/definitions/operations.ts";
import { createOfflineAdministration } from "../src/admin/offline-administration.ts";
import { asOrganizationId, asProfileId } from "../src/domain/ids.ts";
import type { ImportRow } from "../src/domain/records.ts";
import { type Liaison, startLiaison } from "../test/support/liaison.ts";

const rounds = Number(process.argv[2] ?? 200);
const deployments = { small: 100, control: 100, large: 100_000 };
const BATCH = 500;

const asked = {
  "organizations, first page": "/organizations?limit=25",
  "organizations of a kind": "/organizations?kind=partner&limit=25",
  "profiles, first page": "/profiles?limit=25",
  "profiles of an organization": "/profiles?organization_id=org-3&limit=25",
  "disabled profiles": "/profiles?enabled=false&limit=25",
  "accounts, newest": "/accounts?limit=25",
  "search: a whole address": "/profiles?q=person-77@registered.example&limit=25",
  "search: a word that all have": "/profiles?q=person&limit=25",
  "search: two words, the first of which all have": "/profiles?q=person%2077&limit=25",
  "search: nothing": "/profiles?q=nobody%20at%20all&limit=25",
  "search: an account number": "/organizations?q=M-3&limit=25",
  "audit, newest": "/audit?limit=25",
};

const started: Record<string, { liaison: Liaison; key: string }> = {};
try {
  for (const [name, size] of Object.entries(deployments)) {
    process.stderr.write(`filling ${name}: ${size} profiles\n`);
    const liaison = await startLiaison({ embedded: true, upstream: false });
    await fill(liaison, size);
    const { service, principal } = await createOfflineAdministration(liaison, "bench");
    const input = { name: "bench", scopes: [...principal.scopes] };
    const { key } = (await service.call(operations.apiKeys.create, principal, input)).output;
    started[name] = { liaison, key };
  }
  for (const [what, path] of Object.entries(asked)) {
    const times: Record<string, number[]> = { small: [], control: [], large: [] };
    for (let round = -20; round < rounds; round += 1) {
      for (const [name, { liaison, key }] of Object.entries(started)) {
        const took = await timed(`${liaison.issuer}/admin/api/v1${path}`, key);
        if (round >= 0) times[name]?.push(took);
      }
    }
    const [small, control, large] = [times["small"], times["control"], times["large"]].map((all) =>
      median(all ?? []),
    );
    const ratio = (one = Number.NaN) => `× ${(one / (small ?? Number.NaN)).toFixed(2)}`;
    const figures = `${(small ?? 0).toFixed(2)} ms  control ${ratio(control)}  large ${ratio(large)}`;
    process.stdout.write(`${what.padEnd(50)}${figures}\n`);
  }
} finally {
  for (const { liaison } of Object.values(started)) await liaison.close();
}

async function fill({ store, clock }: Liaison, size: number): Promise<void> {
  for (let first = 0; first < size; first += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, size - first) }, (_, offset) => row(first + offset));
    await store.directory.importBatch(rows, "bench", clock.now());
  }
}

function row(index: number): ImportRow {
  const place = Math.floor(index / 20);
  const email = `person-${index}@registered.example`;
  return {
    organization: {
      id: asOrganizationId(`org-${place}`),
      name: `Organization ${place}`,
      accountNumber: `M-${place}`,
      enabled: true,
      kind: place % 10 === 0 ? "partner" : "customer",
      plan: { status: "active", expiresAt: null },
    },
    profile: {
      id: asProfileId(`p-${index}`),
      organizationId: asOrganizationId(`org-${place}`),
      email,
      emailKey: email,
      name: `Person ${index}`,
      roles: ["user"],
      enabled: index % 50 !== 0,
    },
  };
}

async function timed(url: string, key: string): Promise<number> {
  const began = performance.now();
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${response.status} of ${url}`);
  return performance.now() - began;
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
