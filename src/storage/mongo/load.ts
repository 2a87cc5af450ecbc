/**
 * Loads a dump of another back end into MongoDB: how its records become documents, and how what arrived is
 * compared with what was sent. Loading a record twice comes to the same as once, so that a load which was
 * cut short goes on.
 */

import { createHash } from "node:crypto";
import { type Collection, type Db, type Document, ObjectId } from "mongodb";
import { LiaisonError } from "../../errors.ts";
import type { DumpedKind, DumpedRecord, Fingerprint, Load, Place } from "../dump.ts";
import { DUMPED, type DumpedSessionRow } from "../dumped-records.ts";
import { at, collectionsIn } from "./documents.ts";
import { toDocument } from "./engine.ts";

/** Where a load notes how far it came; while it is there, the store isn't whole. */
const MARK = "copy";

interface Mark {
  source: string;
  kind: DumpedKind | "";
  after?: Place | undefined;
}

/**
 * Loads into a migrated database. Throws `store_refused` if it holds anything that isn't of an earlier load
 * of this source.
 */
export async function openLoad(db: Db, source: string): Promise<Load> {
  const { meta } = collectionsIn(db);
  const mark = await markIn(db);
  if (mark === undefined) await refuseUnlessEmpty(db);
  else if (mark.source !== source) throw refused(db, "holds a part of another file");
  const note = async (change: Omit<Mark, "source">) => {
    await meta.updateOne(
      { _id: MARK },
      { $set: { value: JSON.stringify({ source, ...change }) } },
      { upsert: true },
    );
  };
  return {
    begun: mark?.kind === undefined || mark.kind === "" ? undefined : { kind: mark.kind, after: mark.after },
    async write(kind, records) {
      if (mark === undefined) await note({ kind: "" });
      const documents = records.map((record) => toLoaded(kind, record));
      await documentsOf(db, kind).bulkWrite(
        documents.map(({ _id, ...replacement }) => ({
          replaceOne: { filter: { _id }, replacement, upsert: true },
        })),
        { ordered: false },
      );
      await note({ kind, after: records.at(-1)?.place });
    },
    async fingerprint(kind) {
      const sum = new Sum();
      const found = documentsOf(db, kind).find({}).hint({ _id: 1 }).batchSize(1000);
      for await (const document of found) sum.add(document);
      return sum.fingerprint();
    },
    async expected(kind, pages) {
      const sum = new Sum();
      for await (const records of pages) for (const record of records) sum.add(toLoaded(kind, record));
      return sum.fingerprint();
    },
    finish: async () => void (await meta.deleteOne({ _id: MARK })),
  };
}

/** Throws `store_refused` for a database into which a load was cut short. */
export async function refuseUnfinishedLoad(db: Db): Promise<void> {
  if ((await markIn(db)) !== undefined)
    throw refused(db, "holds a part of a file alone, for a copy was cut short");
}

async function markIn(db: Db): Promise<Mark | undefined> {
  const mark = await collectionsIn(db).meta.findOne({ _id: MARK });
  return mark === null ? undefined : (JSON.parse(mark.value) as Mark);
}

async function refuseUnlessEmpty(db: Db): Promise<void> {
  for (const [name, collection] of Object.entries(collectionsIn(db))) {
    if (name === "meta" || name === "migrations") continue;
    const some = await (collection as unknown as Collection<Document>).findOne({}, { hint: { _id: 1 } });
    if (some !== null) throw refused(db, `isn't empty: there are ${name}`);
  }
}

function refused(db: Db, why: string): LiaisonError {
  const fix = "Run `liaison copy` from that file again, or name an empty database.";
  return LiaisonError.storeRefused(`The database ${db.databaseName} ${why}. ${fix}`);
}

const documentsOf = (db: Db, kind: DumpedKind) => db.collection<Document & { _id: string | ObjectId }>(kind);

/** A hash over documents in any order, and with their fields in any. */
class Sum {
  #count = 0;
  #sum = 0n;

  add(document: Document): void {
    const fields = Object.entries(document).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const hash = createHash("sha256").update(JSON.stringify(fields)).digest("hex");
    this.#sum = (this.#sum + BigInt(`0x${hash}`)) & ((1n << 256n) - 1n);
    this.#count += 1;
  }

  fingerprint(): Fingerprint {
    return { count: this.#count, hash: this.#sum.toString(16).padStart(64, "0") };
  }
}

type Loaded = Document & { _id: string | ObjectId };

function toLoaded(kind: DumpedKind, { fields, place }: DumpedRecord): Loaded {
  const document = toDocument(DUMPED[kind], fields, placedAt(place)) as Loaded;
  if (kind === "sessions") {
    const rows: DumpedSessionRow[] = document["rows"];
    return { ...document, rows: rows.map((row) => ({ ...row, expiresAt: at(row.expiresAt) })) };
  }
  if (kind !== "artifacts") return document;
  const { _id, ...rest } = document;
  return { _id, ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null)) };
}

/**
 * The ObjectId that stands for a place, the same each time. Those of numbered places stand in their order,
 * and before all that are made in the present.
 */
function placedAt(place: Place): ObjectId {
  const [first] = place;
  if (typeof first === "number") return new ObjectId(first.toString(16).padStart(24, "0"));
  return new ObjectId(createHash("sha256").update(JSON.stringify(place)).digest("hex").slice(0, 24));
}
