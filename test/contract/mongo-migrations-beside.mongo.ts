/**
 * What brokers of the version before leave behind while a MongoDB database is migrated: doubles, and rows
 * without what came later.
 */

import assert from "node:assert/strict";
import { asAccountId, asClientId, asGrantId, asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import { collectionsIn } from "../../src/storage/mongo/documents.ts";
import { inquiries as inquiryTable } from "../../src/storage/tables.ts";
import { anInquiry, NOW } from "../support/records.ts";
import { beforeSwitches, documentOf, migrateTo, newest, openAt, withDatabase } from "./mongo-migrating.ts";

withDatabase(
  "of selections that were doubled while nothing forbade it the newest stays current",
  async (place) => {
    await migrateTo(place, beforeSwitches);
    const { selections } = collectionsIn(place.db);
    // As a migration left it that was cut short between the old index and the new one, under brokers of the
    // version before.
    await selections.dropIndex("ofSession");
    const rest = {
      organizationId: asOrganizationId("organization"),
      clientId: asClientId("client"),
      accountId: asAccountId("account"),
      profileId: asProfileId("profile"),
    };
    const made = (id: string, sessionUid: string, age: number) => {
      return { ...rest, _id: asGrantId(id), sessionUid, expiresAt: new Date(NOW - age) };
    };
    const doubled = [
      made("c-oldest", "doubled", 2),
      made("a-newest", "doubled", 0),
      made("b-older", "doubled", 1),
    ];
    const others = [
      made("other", "another", 9),
      { ...made("elsewhere", "doubled", 9), clientId: asClientId("another") },
    ];
    await selections.insertMany([...doubled, ...others]);

    assert.equal((await migrateTo(place)).to, newest);
    await (await openAt(place)).close();
    const found = await selections
      .find({ _id: { $gt: asGrantId("") } })
      .sort({ _id: 1 })
      .toArray();
    const successors = found.map(({ _id, replacedBy }) => [_id, replacedBy ?? null].join(" by "));
    const replaced = ["b-older by a-newest", "c-oldest by a-newest"];
    assert.deepEqual(successors, ["a-newest by ", ...replaced, "elsewhere by ", "other by "]);
    await assert.rejects(selections.insertOne(made("yet another", "doubled", 0)), /E11000/);
  },
);

withDatabase(
  "inquiries of both versions are claimed when they are due, whichever broker claims them",
  async (place) => {
    await migrateTo(place, newest - 1);
    const { inquiries } = collectionsIn(place.db);
    const olderInquires = async (notBefore: number) => {
      const { address: _address, ...fields } = anInquiry({ createdAt: notBefore, notBefore });
      const rest = { state: "waiting", sealedAddress: null, leaseWorker: null, leaseUntil: 0 } as const;
      await inquiries.insertOne(documentOf(inquiryTable, { ...fields, ...rest }));
      return fields.id;
    };
    const olderClaims = async (now: number, until: number) => {
      const isDue = { createdAt: { $lte: new Date(now) }, notBefore: { $lte: new Date(now) } };
      const claimed = await inquiries.findOneAndUpdate(
        { state: "waiting", ...isDue, leaseUntil: { $lte: new Date(now) } },
        { $set: { leaseWorker: "old", leaseUntil: new Date(until) } },
        { sort: { createdAt: 1, seq: 1 }, returnDocument: "after" },
      );
      return claimed?._id;
    };
    const before = await olderInquires(NOW - 9);
    await migrateTo(place);
    const after = await olderInquires(NOW - 8);
    const store = await openAt(place);
    const mine = anInquiry({ createdAt: NOW + 1, notBefore: NOW + 1 });
    await store.links.inquire(mine);
    assert.equal(await olderClaims(NOW + 1, NOW + 9), before);
    const claim = async (now: number) => (await store.links.claimInquiry("new", now, 100))?.id;
    assert.deepEqual(
      [await claim(NOW + 1), await claim(NOW + 1), await claim(NOW + 1)],
      [mine.id, after, undefined],
    );
    assert.equal(await olderClaims(NOW + 8, NOW + 99), undefined, "it keeps off what the newer one holds");
    assert.deepEqual([await claim(NOW + 8), await claim(NOW + 9)], [undefined, before]);
    await store.close();
  },
);
