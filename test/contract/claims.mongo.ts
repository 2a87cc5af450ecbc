/**
 * What a claim on MongoDB looks at: the one that it takes, however many wait, and nothing where none is due.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Db, type Document, MongoClient, ObjectId } from "mongodb";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { anId, anInquiry, MINUTE, NOW } from "../support/records.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replica-set.ts";
import { type TestDatabase, testDatabase } from "../support/test-database.ts";
import { ENCRYPTION_KEY } from "./sqlite-support.ts";

const many = 20_000;
const later = new Date(NOW + 99 * MINUTE);

describe("claims", () => {
  let set: ReplicaSet;
  let place: TestDatabase;
  let store: Store;
  let client: MongoClient;
  let db: Db;
  before(async () => {
    // The profile of operations has no index to be read by.
    set = await startReplicaSet({ noTableScan: false });
    place = await testDatabase({ url: set.url, encryptionKey: ENCRYPTION_KEY });
    store = await openStore({ mongodb: place, encryptionKey: ENCRYPTION_KEY });
    client = new MongoClient(set.url);
    db = client.db(place.database);
    await fill();
  });
  after(async () => {
    await store?.close();
    await client?.close();
    await set?.close();
  });

  /** So many of each that aren't due. */
  async function fill(): Promise<void> {
    const { id: _id, address: _address, ...inquiry } = anInquiry();
    const [createdAt, notBefore] = [new Date(inquiry.createdAt), later];
    const common = { createdAt, leaseWorker: null };
    const kinds: Record<string, Document> = {
      inquiries: {
        ...inquiry,
        ...common,
        notBefore,
        dueAt: later,
        state: "waiting",
        sealedAddress: null,
        leaseUntil: new Date(0),
      },
      outbox: {
        ...common,
        messageId: "m",
        to: "a@x.example",
        sealedContent: null,
        requestId: null,
        state: "queued",
        attempts: 0,
        nextAttemptAt: later,
        dueAt: later,
        sentAt: null,
        serverReply: null,
        lastError: null,
      },
      signOuts: { ...common, clientId: "c", accountId: "a", sid: null, dueAt: later, attempts: 0 },
    };
    kinds["auditVerifications"] = {
      askedBy: "admin:7",
      askedAt: createdAt,
      keptHead: null,
      state: "running",
      startedAt: createdAt,
      endedAt: null,
      progress: null,
      result: null,
      failure: null,
      attempts: 1,
      seal: "s",
      openHead: null,
      dueAt: later,
      leaseWorker: "w",
    };
    for (const [name, document] of Object.entries(kinds)) {
      const copies = Array.from({ length: many }, () => ({
        ...document,
        _id: anId(name),
        seq: new ObjectId(),
      }));
      await db.collection<{ _id: string }>(name).insertMany(copies);
    }
  }

  /** What the operations of a claim looked at, and whether one of them sorted. */
  async function examined(
    claim: () => Promise<unknown>,
  ): Promise<{ keys: number; documents: number; sorted: boolean }> {
    await db.command({ profile: 0 });
    await db.collection("system.profile").drop();
    await db.command({ profile: 2 });
    await claim();
    await db.command({ profile: 0 });
    const operations = await db
      .collection("system.profile")
      .find({ docsExamined: { $exists: true } })
      .toArray();
    assert.ok(operations.length > 0, "nothing was asked");
    const sum = (field: string) => operations.reduce((total, one) => total + Number(one[field] ?? 0), 0);
    const sorted = operations.some(({ hasSortStage }) => hasSortStage === true);
    return { keys: sum("keysExamined"), documents: sum("docsExamined"), sorted };
  }

  const nothing = { keys: 0, documents: 0, sorted: false };
  const claims: Record<string, () => Promise<unknown>> = {
    "an inquiry": () => store.links.claimInquiry("w", NOW, MINUTE),
    "a mail": () => store.outbox.claim("w", NOW, MINUTE, MINUTE),
    "a verification": () => store.verifications.claim("w", NOW, MINUTE),
    "a sign-out": () => store.administration.claimSignOut("w", NOW, MINUTE),
  };
  for (const [what, claim] of Object.entries(claims)) {
    it(`of ${what} cost nothing where none of ${many} is due`, async () => {
      // Whatever plan it takes at first, it is taken again.
      for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(await examined(claim), nothing);
    });
  }

  it("of an inquiry that is due looks at that one alone", async () => {
    const inquiry = anInquiry();
    await store.links.inquire(inquiry);
    let claimed: unknown;
    const cost = await examined(async () => {
      claimed = (await store.links.claimInquiry("w", NOW, MINUTE))?.id;
    });
    assert.equal(claimed, inquiry.id);
    assert.ok(cost.keys <= 2 && cost.documents <= 2 && !cost.sorted, JSON.stringify(cost));
  });
});
