/**
 * A MongoDB database of an older schema, or not as it must be: refused, migrated under a running broker, cut
 * short.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ObjectId } from "mongodb";
import { asAccountId, asClientId, asProfileId } from "../../src/domain/ids.ts";
import type { Organization } from "../../src/domain/records.ts";
import { createFieldEncryption } from "../../src/storage/field-encryption.ts";
import { organizationRow } from "../../src/storage/intentions/memberships.ts";
import { COLLECTIONS } from "../../src/storage/mongo/collections.ts";
import { collectionsIn } from "../../src/storage/mongo/documents.ts";
import { migrateMongoStore, openMongoStore } from "../../src/storage/mongo/store.ts";
import {
  auditEvents as auditEventTable,
  organizations as organizationTable,
  profiles as profileTable,
} from "../../src/storage/tables.ts";
import {
  aClient,
  aLinkRequest,
  anAuditEvent,
  anIdentity,
  anOrganization,
  aProfile,
  aRequester,
  NOW,
} from "../support/records.ts";
import { bound, redemption, register, request, signIn, stateOf } from "./back-end.ts";
import {
  beforeSearch,
  documentOf,
  migrateTo,
  newest,
  openAt,
  type Place,
  refusal,
  withDatabase,
  withDoubles,
} from "./mongo-migrating.ts";
import { ENCRYPTION_KEY, OTHER_KEY } from "./sqlite-support.ts";

const organizationDocument = (one: Organization) => documentOf(organizationTable, organizationRow(one));
const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));

withDatabase("an empty one is refused, migrated, and a second run does nothing", async (place) => {
  await assert.rejects(openAt(place), refusal(/holds no data of Liaison yet. Run: liaison migrate/));
  const { from, to, applied } = await migrateTo(place);
  assert.deepEqual([from, to, applied.length], [0, newest, newest]);
  await (await openAt(place)).close();
  const writes = async () => (await place.db.admin().serverStatus())["opcounters"];
  const before = await writes();
  assert.deepEqual(await migrateTo(place), { from: newest, to: newest, applied: [] });
  const after = await writes();
  for (const kind of ["insert", "update", "delete"]) assert.equal(after[kind] - before[kind], 0, kind);
});

withDatabase("older and newer schemas are refused", async (place) => {
  await migrateTo(place, newest - 1);
  await assert.rejects(openAt(place), refusal(/older schema .*run: liaison migrate/));
  await migrateTo(place);
  await assert.rejects(openAt(place, newest - 1), refusal(/written by a newer version/));
  await assert.rejects(migrateTo(place, newest - 1), refusal(/written by a newer version/));
});

withDatabase(
  "another encryption_key is refused, also when migrating, and so is a lost canary",
  async (place) => {
    await migrateTo(place);
    const other = { ...place, encryption: createFieldEncryption(OTHER_KEY) };
    await assert.rejects(openMongoStore(other), refusal(/Set encryption_key to the one it was created with/));
    await assert.rejects(migrateMongoStore({ ...other, now: NOW }), refusal(/Set encryption_key/));
    await place.db.collection<{ _id: string }>("meta").deleteOne({ _id: "canary" });
    await assert.rejects(openAt(place), refusal(/Restore it from a backup/));
  },
);

withDatabase(
  "D4: every index and every rule that is missing is named, and made again by migrate",
  async (place) => {
    await migrateTo(place);
    for (const { name, indexes } of COLLECTIONS) {
      for (const index of indexes) {
        await place.db.collection(name).dropIndex(index.name);
        await assert.rejects(
          openAt(place),
          refusal(new RegExp(`the index ${name}\\.${index.name} .*liaison migrate`)),
        );
        assert.deepEqual((await migrateTo(place)).applied, []);
        await (await openAt(place)).close();
      }
      await place.db.command({ collMod: name, validator: {} });
      await assert.rejects(openAt(place), refusal(new RegExp(`the rules of ${name}.*liaison migrate`)));
      await migrateTo(place);
    }
    await place.db.collection("throttles").drop();
    await assert.rejects(openAt(place), refusal(/the collection throttles/));
    await migrateTo(place);
    await (await openAt(place)).close();
  },
);

withDatabase(
  "D4: an index that isn't unique, covers a part, or never expires is no replacement",
  async (place) => {
    await migrateTo(place);
    const replacements = [
      ["identities", "identity", { issuer: 1, subject: 1 }, {}],
      [
        "linkRequests",
        "secret",
        { secretHash: 1 },
        { unique: true, partialFilterExpression: { state: "pending" } },
      ],
      [
        "selections",
        "ofSession",
        { sessionUid: 1, clientId: 1 },
        { partialFilterExpression: { replacedBy: null } },
      ],
      ["artifacts", "expiry", { expiresAt: 1 }, {}],
    ] as const;
    for (const [collection, name, key, options] of replacements) {
      await place.db.collection(collection).dropIndex(name);
      await place.db.collection(collection).createIndex(key, { ...options, name });
      await assert.rejects(openAt(place), refusal(new RegExp(`the index ${collection}\\.${name} `)));
      await migrateTo(place);
      await (await openAt(place)).close();
    }
  },
);

withDatabase("a broker of the version before goes on while the database is migrated", async (place) => {
  await migrateTo(place, withDoubles);
  // Today's code stands in for that broker: it keeps search entries, too, and no query does without an index.
  await place.db.collection("searchTerms").createIndex({ record: 1 }, { name: "ofRecord" });
  const isWaiting = { state: "waiting" };
  await place.db
    .collection("inquiries")
    .createIndex({ dueAt: 1, seq: 1 }, { name: "due", partialFilterExpression: isWaiting });
  const broker = await openAt(place, withDoubles);
  const before = await bound(broker);
  const person = await signIn(broker);
  const { profile } = await register(broker);
  const link = await request(broker, person, profile.id);
  // Two pending requests of one identity and profile, as no index forbade them.
  const requests = place.db.collection<{ _id: string; secretHash: string; createdAt: Date; state: string }>(
    "linkRequests",
  );
  const original = await requests.findOne({ _id: link.request.id });
  assert.ok(original);
  const createdAt = new Date(original.createdAt.getTime() - 1);
  await requests.insertOne({ ...original, _id: "double", secretHash: "double", createdAt });

  // It keeps asking for links meanwhile.
  let isMigrated = false;
  let asked = 0;
  const asking = (async () => {
    while (!isMigrated || asked < 5) {
      const { profile: another } = await register(broker);
      const first = await request(broker, person, another.id);
      const second = await request(broker, person, another.id);
      assert.deepEqual(
        [await stateOf(broker, first), await stateOf(broker, second)],
        ["superseded", "pending"],
      );
      asked += 1;
    }
  })();
  try {
    assert.equal((await migrateTo(place)).to, newest);
  } finally {
    isMigrated = true;
    await asking;
  }

  assert.equal((await requests.findOne({ _id: "double" }))?.state, "superseded");
  const redeemed = await broker.links.redeem(
    redemption(person, link),
    { id: "notice", messageId: "n@x" },
    NOW,
  );
  assert.equal(redeemed.result, "bound");
  await broker.close();
  await assert.rejects(openAt(place, newest - 1), refusal(/newer version/));
  const newer = await openAt(place);
  assert.equal((await newer.directory.membership(before.profile.id))?.profile.accountId, before.account.id);
  await newer.close();
});

withDatabase(
  "what is there already is found by search once it was migrated, however often",
  async (place) => {
    await migrateTo(place, beforeSearch);
    const { organizations, profiles, accounts, identities, clients, auditEvents, searchTerms, migrations } =
      collectionsIn(place.db);
    const places = Array.from({ length: 1100 }, (_, index) => anOrganization({ name: `Branch ${index}` }));
    const [first] = places;
    assert.ok(first);
    await organizations.insertMany(places.map(organizationDocument));
    const unbound = {
      emailVersion: 1,
      adminRole: null,
      invitedAt: null,
      accountId: null,
      boundAt: null,
      provenEmailVersion: null,
    };
    const people = ["Ada Lovelace", "Grace Höpper"].map((name, index) => ({
      ...aProfile({
        name,
        organizationId: first.id,
        email: `${index}@x.example`,
        emailKey: `${index}@x.example`,
      }),
      ...unbound,
    }));
    await profiles.insertMany(people.map((one) => documentOf(profileTable, one)));
    await accounts.insertOne({ _id: asAccountId("account"), createdAt: new Date(NOW) });
    for (const subject of ["one", "two"]) {
      const times = { createdAt: new Date(NOW), lastSignInAt: new Date(NOW) };
      const identity = anIdentity({ subject, email: `${subject}@mail.example` });
      await identities.insertOne({
        ...identity,
        ...times,
        _id: new ObjectId(),
        accountId: asAccountId("account"),
      });
    }
    // As brokers of that version wrote them: without the fields that came later.
    const { id, secret: _secret, previousSecret: _previous, managedBy, ...record } = aClient();
    await clients.insertOne({ _id: id, sealedSecret: null, managedBy, record: JSON.stringify(record) });
    const event = anAuditEvent();
    await auditEvents.insertOne(documentOf(auditEventTable, event));

    assert.equal((await migrateTo(place)).applied.length, newest - beforeSearch);
    const store = await openAt(place);
    const page = { after: null, limit: 9 };
    const look = async () => {
      const { administration } = store;
      const found = async (search: string) => [
        ...(await administration.organizations({ search }, page)).items.map((one) => one.name),
        ...(await administration.memberships({ search }, page)).items.map(({ profile }) => profile.name),
        ...(await administration.accounts({ search }, page)).items.map(({ account }) => account.id),
      ];
      assert.deepEqual(await found("branch 1099"), ["Branch 1099"]);
      assert.deepEqual(await found("hopper"), ["Grace Höpper"]);
      assert.deepEqual(await found("ada"), ["Ada Lovelace", "account"]);
      assert.deepEqual(await found("two"), ["account"]);
    };
    await look();
    assert.deepEqual(await store.audit.unsealed(9), [event]);
    assert.equal((await store.clients.find(id))?.previousSecret, null);

    // Cut short: a part of the entries is there, and no version is noted.
    const all = { _id: { $gt: "" } };
    const entries = await searchTerms.find(all).toArray();
    await searchTerms.deleteMany({ _id: { $gt: entries[700]?._id ?? "" } });
    await migrations.deleteMany({ _id: { $gt: beforeSearch } });
    assert.equal((await migrateTo(place)).applied.length, newest - beforeSearch);
    assert.deepEqual(await searchTerms.find(all).toArray(), entries);
    await look();
    await store.close();
  },
);

withDatabase("a migration killed anywhere is run again and finishes", async (place) => {
  const folder = await mkdtemp(join(tmpdir(), "liaison-migrate-"));
  const config = join(folder, "liaison.yaml");
  await writeFile(
    config,
    `issuer: http://localhost:4400
encryption_key: ${ENCRYPTION_KEY}
storage: { mongodb: { url: ${JSON.stringify(place.url)}, database: ${place.database} } }
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
  );
  const run = () =>
    spawn(process.execPath, [bin, "migrate", "--json", "--config", config], { stdio: "pipe" });
  try {
    await migrateTo(place, withDoubles);
    await pendingDoubles(place, 3000);
    const { organizations } = collectionsIn(place.db);
    const branches = Array.from({ length: 3000 }, (_, index) => anOrganization({ name: `Branch ${index}` }));
    await organizations.insertMany(branches.map(organizationDocument));
    let kills = 0;
    for (const delay of [250, 350, 420, 480, 540, 600, 700, 900]) {
      const child = run();
      const exited = once(child, "exit");
      await pause(delay);
      child.kill("SIGKILL");
      const [code] = await exited;
      if (code === null) kills += 1;
    }
    const last = run();
    let said = "";
    last.stdout.on("data", (chunk) => {
      said += chunk;
    });
    let complaint = "";
    last.stderr.on("data", (chunk) => {
      complaint += chunk;
    });
    const [code] = await once(last, "close");
    assert.equal(code, 0, complaint);
    assert.equal((JSON.parse(said) as { to: number }).to, newest);
    assert.ok(kills > 0, "every run had ended before it was killed");
    const store = await openAt(place);
    const found = await store.administration.organizations(
      { search: "branch 2" },
      { after: null, limit: 2000 },
    );
    assert.equal(found.items.length, 1111, "each is found by search");
    await store.close();
    const left = await place.db
      .collection("linkRequests")
      .find({ state: "pending", profileId: { $gt: "" } })
      .toArray();
    assert.equal(
      new Set(left.map(({ profileId }) => profileId)).size,
      3000,
      "each profile still has a request",
    );
    assert.equal(left.length, 3000, "and one alone");
    assert.ok(left.every(({ _id }) => String(_id).startsWith("newer")));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** For each of so many profiles two pending requests of one identity. */
async function pendingDoubles({ db }: Place, profiles: number): Promise<void> {
  const requester = aRequester();
  const documents = Array.from({ length: profiles }, (_, index) =>
    ["older", "newer"].map((age) => {
      const { id: _id, ...fields } = aLinkRequest({ profileId: asProfileId(`profile-${index}`), requester });
      const times = {
        createdAt: new Date(age === "older" ? NOW - 1000 : NOW),
        expiresAt: new Date(NOW + 1000),
      };
      const rest = { organizationId: "organization", state: "pending", settledAt: null };
      return { ...fields, ...times, ...rest, _id: `${age}-${randomUUID()}`, inquiryId: "inquiry" };
    }),
  ).flat();
  await db.collection<{ _id: string }>("linkRequests").insertMany(documents);
}

withDatabase("uses of clients as the version before noted them get refused addresses", async (place) => {
  await migrateTo(place, 10);
  const { clientUses } = collectionsIn(place.db);
  await clientUses.insertOne({ _id: asClientId("before"), usedAt: new Date(NOW), previousUsedAt: null });
  await migrateTo(place);
  const store = await openAt(place);
  const refused = { parameter: "redirect_uri", address: "https://p.example/typo" } as const;
  for (const at of [NOW + 1, NOW + 2]) await store.clients.noteRefused(asClientId("before"), refused, at);
  assert.deepEqual(await store.clients.uses([asClientId("before")]), [
    {
      clientId: "before",
      usedAt: NOW,
      previousUsedAt: null,
      refusedAddresses: [{ ...refused, at: NOW + 1 }],
    },
  ]);
  await store.close();
});
