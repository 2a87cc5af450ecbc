/** What administration keeps in a file is there, and goes on, in the database that the file was copied to. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { chainMark, firstBase } from "../../src/domain/audit-chain.ts";
import { asGrantId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { copyStore } from "../../src/storage/copy.ts";
import { openStore } from "../../src/storage/open.ts";
import {
  aClient,
  aMail,
  anId,
  anInquiry,
  aProfile,
  aSelection,
  hashOf,
  MINUTE,
  NOW,
} from "../support/records.ts";
import { testDatabase } from "../support/test-database.ts";
import { bind, bound, present } from "./back-end.ts";
import { ENCRYPTION_KEY, temporaryFile } from "./sqlite-support.ts";

const BY = { actor: "admin:7", now: NOW };
const PAGE = { after: null, limit: 9 };
const KEY = Buffer.alloc(32, 9);

const once = { limit: 1, windowSeconds: 86_400 };
const MAIL_LIMITS = { mailbox: { hourly: once, daily: once }, profile: { limit: 9, windowSeconds: 3600 } };

/** One mail that goes, and two that wait for its mailbox; returns the ids of these. */
async function leaveMails(store: Store): Promise<string[]> {
  const inquiry = anInquiry();
  await store.links.inquire(inquiry);
  assert.equal((await store.links.claimInquiry("w", NOW, 1000))?.id, inquiry.id);
  const mails = ["p", "q", "r"].map((key) => ({
    ...aMail(),
    throttle: { mailbox: { ...MAIL_LIMITS.mailbox, key: "ada" }, profile: { ...MAIL_LIMITS.profile, key } },
  }));
  assert.equal(await store.links.settleInquiry(inquiry.id, "w", { links: [], mails }, NOW), true);
  return mails.slice(1).map(({ id }) => id);
}

test("mongodb copy: search, chain, keys, counts, sign-outs and secrets are copied", async () => {
  const file = temporaryFile();
  const { drop, ...mongodb } = await testDatabase();
  try {
    const source = await file.open();
    const { profile, organization, account, identity } = await bound(source);
    const client = aClient({ managedBy: "admin" });
    const key = {
      id: anId("key"),
      name: "Export",
      secretHash: hashOf("secret"),
      scopes: ["audit:read"],
      createdBy: "admin:7",
      createdAt: NOW,
      expiresAt: NOW + MINUTE,
      lastUsedAt: null,
    };
    const once = { keyHash: hashOf("once"), fingerprint: "f", answer: "the answer", expiresAt: NOW + MINUTE };
    await source.administration.apply({ kind: "register_client", client }, { ...BY, once });
    await source.administration.apply({ kind: "create_api_key", key }, BY);
    await source.administration.noteApiKeyUse(key.id, NOW + 1);
    await source.clients.noteUse(client.id, "previous", NOW + 3);
    const refused = { parameter: "redirect_uri", address: "https://p.example/x" } as const;
    await source.clients.noteRefused(client.id, refused, NOW + 4);
    await source.administration.addCounts([{ name: "sign_in", hour: NOW, count: 5 }], "one", NOW);
    const clients: string[] = [];
    for (const turn of [1, 2]) {
      const selection = aSelection({ accountId: account.id, profileId: profile.id });
      present(await source.accountsAtClients.select(selection, NOW));
      const revoke = { kind: "revoke_grant", grantId: selection.grantId } as const;
      await source.administration.apply(revoke, { ...BY, now: NOW + turn });
      clients.push(selection.clientId);
    }
    const email = "another@litware.example";
    const second = aProfile({ organizationId: organization.id, email, emailKey: email });
    await source.directory.putProfile(second, "admin:7", NOW);
    await bind(source, { account, identity }, second.id);
    const old = aSelection({ accountId: account.id, profileId: profile.id });
    const switched = { ...old, grantId: asGrantId(anId("grant")), profileId: second.id };
    for (const selection of [old, switched]) present(await source.accountsAtClients.select(selection, NOW));
    const events = await source.audit.unsealed(99);
    const head = chainMark(KEY, "head", { seq: 2, mac: "two", at: NOW + 5 });
    const places = events
      .slice(0, 2)
      .map(({ id }, index) => ({ id, seq: index + 1, mac: ["one", "two"][index] ?? "" }));
    const base = firstBase(KEY, NOW);
    assert.equal(await source.audit.seal(places, { after: 0, head, base }), true);
    const chain = await source.audit.chain(1, 9);
    for (const keptHead of ["1.one", null]) {
      const asked = { id: anId("verification"), keptHead, seal: "asked" };
      present(await source.verifications.ask(asked, BY));
    }
    const { id } = present(await source.verifications.claim("w", NOW, MINUTE));
    const progress = { verified: 1, total: 2, seq: 1, mac: "one", headSeq: 2 };
    const result = { intact: true, verified: 2, unsealed: 1, pruned: 0, head: "2.two", problem: null };
    const outcome = { state: "finished", progress, result, failure: null, seal: "noted" } as const;
    assert.equal(await source.verifications.settle(id, "w", outcome, NOW + 1), true);
    const verifications = await source.verifications.list();
    const deferred = await leaveMails(source);
    await source.close();

    const { signal } = new AbortController();
    const copying = { from: { file: file.file }, to: mongodb, encryptionKey: ENCRYPTION_KEY, now: NOW };
    const report = await copyStore({ ...copying, signal, onProgress: () => {} });
    assert.equal(report.complete, true);
    const kinds = [
      "auditChain",
      "searchTerms",
      "clientUses",
      "apiKeys",
      "idempotencyKeys",
      "counters",
      "signOuts",
      "auditVerifications",
      "mailboxes",
    ];
    for (const kind of kinds) assert.ok(present(report.counts[kind]) > 0, kind);

    const store = await openStore({ mongodb, encryptionKey: ENCRYPTION_KEY });
    const { administration, audit } = store;
    assert.equal(
      await store.outbox.releaseDeferred(MAIL_LIMITS, NOW + MINUTE),
      1,
      "what waited for a mailbox goes on",
    );
    for (const id of deferred) assert.equal((await store.outbox.find(id))?.state, "carried");
    const found = await administration.organizations({ search: "contoso" }, PAGE);
    assert.deepEqual(found.items, [organization]);
    assert.equal((await administration.memberships({ search: profile.email }, PAGE)).items.length, 1);
    assert.equal((await administration.accounts({ search: "ada.private" }, PAGE)).items.length, 1);
    assert.deepEqual(await store.clients.find(client.id), client);
    assert.deepEqual(await store.clients.uses([client.id]), [
      {
        clientId: client.id,
        usedAt: null,
        previousUsedAt: NOW + 3,
        refusedAddresses: [{ ...refused, at: NOW + 4 }],
      },
    ]);
    assert.deepEqual(await administration.apiKey(hashOf("secret"), NOW), { ...key, lastUsedAt: NOW + 1 });
    const again = await administration.apply({ kind: "register_client", client: aClient() }, { ...BY, once });
    assert.deepEqual(again, { result: "repeated", fingerprint: "f", answer: "the answer" });
    await administration.addCounts([{ name: "sign_in", hour: NOW, count: 2 }], "two", NOW);
    assert.deepEqual(await administration.counts(NOW, NOW + 1), [{ name: "sign_in", hour: NOW, count: 7 }]);
    for (const clientId of clients) {
      assert.equal((await administration.claimSignOut("w", NOW + 9, MINUTE))?.clientId, clientId);
    }
    assert.deepEqual(await audit.chain(1, 9), chain);
    assert.deepEqual(await audit.chainEnds(), { base, head });
    assert.deepEqual(await audit.unsealed(2), events.slice(2, 4));
    assert.deepEqual(await store.verifications.list(), verifications);
    assert.equal((await store.verifications.claim("w", NOW, MINUTE))?.keptHead, null);
    assert.deepEqual(
      present(await store.accountsAtClients.forGrant(asGrantId(switched.grantId), NOW)).replaces,
      [old.grantId],
    );
    const { clientId, sessionUid } = old;
    const accountAtClient = present(
      await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW),
    );
    assert.deepEqual(accountAtClient.current, switched);
    await store.close();
  } finally {
    await drop();
    await file.destroy();
  }
});
