/** Verifications of the audit in SQLite: who asked, how far each is, what it came to. */

import { verificationAsked } from "../../domain/audit-entries.ts";
import { MOST_OPEN_VERIFICATIONS, MOST_VERIFICATIONS, openHeadOf } from "../../domain/verifications.ts";
import { integer } from "../../sql-columns.ts";
import type { VerificationStore } from "../contract.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database } from "./database.ts";
import { VERIFICATION_JSON } from "./rows.ts";

const VERIFICATION = { record: VERIFICATION_JSON };

export function createVerificationStore(database: Database, audit: AuditWriter): VerificationStore {
  // `asked_at >= 0` holds for every one; it lets them be read along their index.
  const byId = database.prepare(
    `SELECT ${VERIFICATION_JSON} AS record FROM audit_verifications WHERE id = :id`,
    VERIFICATION,
  );
  const list = database.prepare(
    `
    SELECT ${VERIFICATION_JSON} AS record FROM audit_verifications
    WHERE asked_at >= 0 ORDER BY asked_at DESC, rowid DESC`,
    VERIFICATION,
  );
  const byOpenHead = database.prepare(
    `
    SELECT ${VERIFICATION_JSON} AS record FROM audit_verifications WHERE open_head = :openHead`,
    VERIFICATION,
  );
  const countOpen = database.prepare(
    "SELECT count(*) AS count FROM audit_verifications WHERE open_head >= ''",
    { count: integer },
  );
  const insert = database.prepare(`
    INSERT INTO audit_verifications (id, asked_by, asked_at, kept_head, state, attempts, seal, open_head,
      due_at)
    VALUES (:id, :actor, :now, :keptHead, 'waiting', 0, :seal, :openHead, :now)`);
  const removeOldest = database.prepare(`
    DELETE FROM audit_verifications WHERE open_head IS NULL AND rowid IN (
      SELECT rowid FROM audit_verifications WHERE asked_at >= 0
      ORDER BY asked_at DESC, rowid DESC LIMIT -1 OFFSET ${MOST_VERIFICATIONS})`);
  const due = database.prepare("SELECT 1 FROM audit_verifications WHERE due_at <= :now LIMIT 1");
  const claim = database.prepare(
    `
    UPDATE audit_verifications SET state = 'running', started_at = coalesce(started_at, :now), lease_worker =
      :worker,
      due_at = :until, attempts = attempts + 1
    WHERE rowid = (SELECT rowid FROM audit_verifications WHERE due_at <= :now ORDER BY due_at, rowid LIMIT 1)
    RETURNING ${VERIFICATION_JSON} AS record`,
    VERIFICATION,
  );
  const note = database.prepare(`
    UPDATE audit_verifications SET progress = :progress, seal = :seal, due_at = :until, attempts = 0
    WHERE id = :id AND lease_worker = :worker`);
  const settle = database.prepare(`
    UPDATE audit_verifications SET state = :state, progress = :progress, result = :result,
      failure = :failure, seal = :seal, ended_at = :now, open_head = NULL, due_at = NULL, lease_worker = NULL
    WHERE id = :id AND lease_worker = :worker`);

  const json = (value: object | null) => (value === null ? null : JSON.stringify(value));

  return {
    ask: ({ id, keptHead, seal }, { actor, now }) =>
      database.transaction(() => {
        const openHead = openHeadOf(keptHead);
        const joined = byOpenHead.get({ openHead })?.record;
        if (joined !== undefined) {
          audit(verificationAsked(joined.id, true, { actor, at: now }));
          return joined;
        }
        if ((countOpen.get()?.count ?? 0) >= MOST_OPEN_VERIFICATIONS) return undefined;
        insert.run({ id, actor, now, keptHead, seal, openHead });
        removeOldest.run();
        audit(verificationAsked(id, false, { actor, at: now }));
        return byId.get({ id })?.record;
      }),
    find: (id) => database.run(() => byId.get({ id })?.record),
    list: () => database.run(() => list.all().map(({ record }) => record)),
    claim: (worker, now, leaseMs) =>
      database.run(() => {
        // Asked every other second: the write lock is taken where there is something alone.
        if (!due.isAny({ now })) return undefined;
        return claim.get({ worker, now, until: now + leaseMs })?.record;
      }),
    note: (id, worker, { progress, seal, leaseUntil }) =>
      database.run(() => note.run({ id, worker, progress: json(progress), seal, until: leaseUntil }) === 1),
    settle: (id, worker, { state, progress, result, failure, seal }, now) =>
      database.run(
        () =>
          settle.run({
            id,
            worker,
            state,
            progress: json(progress),
            result: json(result),
            failure,
            seal,
            now,
          }) === 1,
      ),
  };
}
