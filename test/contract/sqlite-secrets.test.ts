/** What lies in a SQLite file: nothing that must stay secret, and nothing that opens where it was moved. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { asGrantId, asInquiryId } from "../../src/domain/ids.ts";
import { LiaisonError } from "../../src/errors.ts";
import {
  aClient,
  aLinkContent,
  aMail,
  aNewLink,
  anId,
  anInquiry,
  anUpstreamTransaction,
  hashOf,
  MINUTE,
  NOW,
  secretOf,
} from "../support/records.ts";
import { registerClient } from "../support/stored-clients.ts";
import { aNotice, bound, redemption, register, request, signIn } from "./back-end.ts";
import { tamper, withFile } from "./sqlite-support.ts";

withFile("D5: no secret and no typed address is in the files, open or closed", async (file) => {
  const store = await file.open();
  const needles = new Map<string, string>();
  const needle = (what: string) => {
    const value = anId(`needle-${what.replaceAll(" ", "-")}`);
    needles.set(what, value);
    return value;
  };

  const { profile } = await register(store);
  const person = await signIn(store);
  const link = await request(store, person, profile.id);
  needles.set("link secret", secretOf(link.request.id));
  const failed = aMail({
    content: aLinkContent({ requestId: link.request.id, secret: needle("failed link secret") }),
  });
  const address = `${needle("typed address")}@contoso.example`;
  const typed = anInquiry({ address });
  await store.links.inquire(typed);
  await store.links.claimInquiry("worker", NOW, 1000);
  const purpose = { kind: "sign_in", interactionUid: needle("interaction uid") } as const;
  const transaction = { codeVerifier: needle("code verifier"), nonce: needle("nonce"), purpose };
  await store.signIns.begin(anUpstreamTransaction(transaction));
  await registerClient(store, aClient({ secret: needle("client secret") }));
  await store.keys.findOrCreate("signing", async () => needle("key material"));
  const payload = { jti: needle("token payload") };
  await store.artifacts.upsert("RefreshToken", hashOf("id"), payload, { grantId: asGrantId("g") }, NOW + 1);
  const session = { uid: "uid", authorizations: {}, removed: [] };
  await store.artifacts.upsertSession(hashOf("id"), { jti: needle("session cookie") }, session, NOW + 1);
  await store.throttles.takeSlot(`mailbox:${needle("throttled address")}`, 1, 60, NOW);

  const search = (when: string) => {
    const folder = join(file.folder, "data");
    const dump = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
    assert.ok(dump.includes(person.identity.subject), "the search finds nothing at all");
    for (const [what, value] of needles) assert.ok(!dump.includes(value), `${what} is readable ${when}`);
  };
  search("while it is used");
  assert.equal(
    await store.links.settleInquiry(typed.id, "worker", { links: [], mails: [failed] }, NOW),
    true,
  );
  await store.links.redeem(redemption(person, link), aNotice(), NOW);
  for (;;) {
    const claim = await store.outbox.claim("worker", NOW, 1000, 1000);
    if (claim === undefined) break;
    const id = claim.message.id;
    if (id === failed.id) await store.outbox.markDeferred(id, "worker", "550", null, NOW);
    else await store.outbox.markSent(id, "worker", "250", NOW);
  }
  search("after it was used");
  await store.close();
  search("after closing");
});

withFile("D5: links that go together are as unreadable, and leave nothing behind", async (file) => {
  const store = await file.open();
  const none = { limit: 0, windowSeconds: 86_400 };
  const throttle = {
    mailbox: { hourly: none, daily: none, key: anId("needle-mailbox") },
    profile: { ...none, key: anId("needle-profile") },
  };
  const secrets = ["one", "two"].map((what) => anId(`needle-${what}`));
  const { profile } = await register(store);
  const waiting = [];
  for (const secret of secrets) {
    const person = await signIn(store);
    const requester = { ...person.identity, accountId: person.account.id };
    const inquiry = anInquiry({ requester });
    await store.links.inquire(inquiry);
    await store.links.claimInquiry("w", NOW, 1000);
    const link = aNewLink({ requester, inquiryId: inquiry.id, profileId: profile.id });
    const mail = { ...link.mail, throttle, content: aLinkContent({ requestId: link.request.id, secret }) };
    await store.links.settleInquiry(inquiry.id, "w", { links: [{ ...link, mail }], mails: [] }, NOW);
    waiting.push(mail.id);
  }
  const search = (when: string) => {
    const folder = join(file.folder, "data");
    const dump = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
    for (const needle of [...secrets, throttle.mailbox.key, throttle.profile.key]) {
      assert.ok(!dump.includes(needle), `${needle} is readable ${when}`);
    }
  };
  search("while they wait");
  const limits = { mailbox: throttle.mailbox, profile: throttle.profile };
  assert.equal(await store.outbox.releaseDeferred(limits, NOW + MINUTE), 1);
  search("when they are carried");
  const { message } =
    (await store.outbox.claim("w", NOW + MINUTE, 1000, 1000)) ?? assert.fail("nothing is due");
  assert.ok(secrets.every((secret) => JSON.stringify(message.content).includes(secret)));
  await store.outbox.markSent(message.id, "w", "250", NOW + MINUTE);
  await store.close();
  search("afterwards");
  const database = new DatabaseSync(file.file);
  const kept = database
    .prepare("SELECT count(*) AS count FROM outbox WHERE sealed_content IS NOT NULL")
    .get();
  const carried = database
    .prepare("SELECT count(*) AS count FROM outbox WHERE carried_by = ?")
    .get(message.id);
  database.close();
  assert.deepEqual([kept?.["count"], carried?.["count"]], [0, waiting.length]);
});

withFile("sent and dropped mails leave no content behind, failed ones keep theirs", async (file) => {
  const store = await file.open();
  const { link } = await bound(store);
  const { profile } = await register(store);
  const pending = await request(store, await signIn(store), profile.id);
  const claim = async () => (await store.outbox.claim("worker", NOW, 1000, 1000))?.message;
  const notice = await claim();
  assert.equal(notice?.content.kind, "linked_notice");
  await store.outbox.markSent(notice?.id ?? "", "worker", "250 queued as 17", NOW);
  await claim();
  await store.outbox.markDeferred(pending.mail.id, "worker", "550 unknown", null, NOW);
  await store.close();
  const database = new DatabaseSync(file.file);
  const rows = database.prepare("SELECT id, state, sealed_content IS NULL AS erased FROM outbox").all();
  const left = new Map(rows.map((row) => [row["id"], [row["state"], row["erased"]]]));
  assert.deepEqual(left.get(link.mail.id), ["dropped", 1]);
  assert.deepEqual(left.get(notice?.id ?? ""), ["sent", 1]);
  assert.deepEqual(left.get(pending.mail.id), ["failed", 0]);
  database.close();
});

withFile("an encrypted value moved to another row can't be decrypted", async (file) => {
  const [one, two] = [aClient(), aClient()];
  const first = await file.open();
  await registerClient(first, one);
  await registerClient(first, two);
  await tamper(
    file,
    `UPDATE clients SET sealed_secret = (SELECT sealed_secret FROM clients WHERE id = '${one.id}') WHERE ` +
      `id = '${two.id}'`,
  );
  const store = await file.open();
  assert.deepEqual(await store.clients.find(one.id), one);
  await assert.rejects(
    store.clients.find(two.id),
    (error) => error instanceof LiaisonError && error.code === "store_refused",
  );
});

withFile("a damaged mail fails for good and holds up none behind it", async (file) => {
  const store = await file.open();
  const inquiries = [anInquiry(), anInquiry()];
  for (const inquiry of inquiries) {
    await store.links.inquire(inquiry);
    await store.links.claimInquiry("worker", inquiry.notBefore, 60_000);
  }
  const [damaged, whole] = [aMail(), aMail()];
  await store.links.settleInquiry(
    asInquiryId(inquiries[0]?.id ?? ""),
    "worker",
    { links: [], mails: [damaged] },
    NOW,
  );
  await store.links.settleInquiry(
    asInquiryId(inquiries[1]?.id ?? ""),
    "worker",
    { links: [], mails: [whole] },
    NOW + 1,
  );
  const database = new DatabaseSync(file.file);
  database.prepare("UPDATE outbox SET sealed_content = 'v1.damaged' WHERE id = ?").run(damaged.id);
  const claimed = await store.outbox.claim("worker", NOW + 2, 60_000, 60_000);
  assert.equal(claimed?.message.id, whole.id);
  const { state, last_error: reason } =
    database.prepare("SELECT state, last_error FROM outbox WHERE id = ?").get(damaged.id) ?? {};
  database.close();
  assert.deepEqual([state, reason], ["failed", "the stored content can't be opened"]);
});
