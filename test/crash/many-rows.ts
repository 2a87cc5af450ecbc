/**
 * Grants by the ten thousand, written past the store: for their number alone. Nobody holds a token of any of
 * them.
 */

import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { type Db, MongoClient } from "mongodb";

export interface Filler {
  clientId: string;
  accountId: string;
  profileId: string;
  organizationId: string;
  expiresAt: number;
}

export interface ManyRows {
  insert(count: number, filler: Filler): Promise<void>;
  /** How many rows of them are left, whatever they are. */
  left(): Promise<number>;
  /**
   * By which ids portals were told of them, each as often as it was queued. Undefined where nobody could see.
   */
  told(): Promise<string[] | undefined>;
  close(): Promise<void>;
}

const hashOf = (id: string) => createHash("sha256").update(id).digest("base64url");
const BATCH = 10_000;

export function manyRowsInFile(file: string): ManyRows {
  const database = new DatabaseSync(file, { timeout: 5000 });
  // The worker takes sign-outs away as fast as they come.
  database.exec(`
    CREATE TABLE told_for_test (sid TEXT);
    CREATE TRIGGER told_for_test AFTER INSERT ON sign_outs BEGIN INSERT INTO told_for_test VALUES (new.sid);
      END;
  `);
  const selection = database.prepare(`
    INSERT INTO selections (grant_id, session_uid, client_id, account_id, profile_id, organization_id,
      expires_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const artifact = database.prepare(
    "INSERT INTO artifacts (model, id_hash, grant_id, account_id, expires_at) VALUES (?, ?, ?, ?, ?)",
  );
  const share = database.prepare(
    "INSERT INTO session_clients (session_uid, client_id, sid) VALUES (?, ?, ?)",
  );
  const left = database.prepare(`
    SELECT (SELECT count(*) FROM selections WHERE grant_id GLOB 'filler-*')
      + (SELECT count(*) FROM artifacts WHERE grant_id GLOB 'filler-*') AS rows`);
  const told = database.prepare("SELECT sid FROM told_for_test WHERE sid GLOB 'filler-*'");
  return {
    async insert(count, { clientId, accountId, profileId, organizationId, expiresAt }) {
      for (let first = 0; first < count; first += BATCH) {
        database.exec("BEGIN IMMEDIATE");
        for (let index = first; index < Math.min(count, first + BATCH); index += 1) {
          const grantId = `filler-${index}`;
          selection.run(
            grantId,
            `filler-of-${index}`,
            clientId,
            accountId,
            profileId,
            organizationId,
            expiresAt,
          );
          for (const model of ["AccessToken", "RefreshToken"]) {
            artifact.run(model, `${model}-${index}`, grantId, accountId, expiresAt);
          }
          artifact.run("Grant", hashOf(grantId), grantId, accountId, expiresAt);
          share.run(`filler-of-${index}`, clientId, grantId);
        }
        database.exec("COMMIT");
        await setImmediate();
      }
    },
    left: async () => Number(left.get()?.["rows"]),
    told: async () => told.all().map((row) => String(row["sid"])),
    close: async () => database.close(),
  };
}

export async function manyRowsInDatabase(url: string, name: string): Promise<ManyRows> {
  const client = new MongoClient(url);
  const db: Db = client.db(name);
  const ids = { $gte: "filler-", $lt: "filler." };
  const quick = { ordered: false, writeConcern: { w: 1 } } as const;
  return {
    async insert(count, { clientId, accountId, profileId, organizationId, expiresAt: until }) {
      const expiresAt = new Date(until);
      for (let first = 0; first < count; first += BATCH) {
        const indexes = Array.from({ length: Math.min(BATCH, count - first) }, (_, offset) => first + offset);
        const of = { clientId, accountId, profileId, organizationId, expiresAt, replacedBy: null };
        await db.collection<{ _id: string }>("selections").insertMany(
          indexes.map((index) => ({ _id: `filler-${index}`, sessionUid: `filler-of-${index}`, ...of })),
          quick,
        );
        const artifacts = indexes.flatMap((index) => {
          const grantId = `filler-${index}`;
          const names = [`AccessToken:a-${index}`, `RefreshToken:r-${index}`, `Grant:${hashOf(grantId)}`];
          return names.map((_id) => ({ _id, grantId, accountId, expiresAt }));
        });
        await db.collection<{ _id: string }>("artifacts").insertMany(artifacts, quick);
      }
      await db
        .collection<{ _id: string }>("leases")
        .updateOne(
          { _id: "filler" },
          { $set: { worker: "test", until: new Date(0) } },
          { upsert: true, writeConcern: { w: "majority" } },
        );
    },
    left: async () =>
      (await db.collection<{ _id: string }>("selections").countDocuments({ _id: ids })) +
      (await db.collection("artifacts").countDocuments({ grantId: ids })),
    told: async () => undefined,
    close: () => client.close(),
  };
}
