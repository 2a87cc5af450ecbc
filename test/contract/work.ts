/** What workers rest on: leases, counts by the hour, and sign-outs that wait to be told. */

import assert from "node:assert/strict";
import { asAccountId, asClientId, asSecretHash } from "../../src/domain/ids.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { anOrganization, aSelection, MINUTE, NOW } from "../support/records.ts";
import { bound, type Case, present, race } from "./back-end.ts";

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const PAGE = { after: null, limit: 5 };

/** Queues as many sign-outs, one after the other, the first `NOW`. */
async function queueSignOuts(store: Store, count: number): Promise<string[]> {
  const { account, profile } = await bound(store);
  const clients: string[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const selection = aSelection({ accountId: account.id, profileId: profile.id });
    present(await store.accountsAtClients.select(selection, NOW));
    const revoke = { kind: "revoke_grant", grantId: selection.grantId } as const;
    await store.administration.apply(revoke, { actor: "admin:7", now: NOW + turn });
    clients.push(selection.clientId);
  }
  return clients;
}

export function workCases(contract: Case): void {
  contract("a lease is one worker's until it runs out or he lets it", async (opened) => {
    const { store } = opened;
    const taken = await race(opened, 20, (racer, index) =>
      racer.administration.takeLease("sealer", `worker-${index}`, NOW, MINUTE),
    );
    assert.equal(taken.filter(Boolean).length, 1);
    const holder = `worker-${taken.indexOf(true)}`;
    const take = (worker: string, now: number, name = "sealer") =>
      store.administration.takeLease(name, worker, now, MINUTE);
    assert.equal(await take("other", NOW + MINUTE - 1), false);
    assert.equal(await take("other", NOW, "another lease"), true);
    assert.equal(await take(holder, NOW + 10), true, "he keeps it");
    assert.equal(await take("other", NOW + MINUTE), false, "so it runs out later");
    assert.equal(await take("other", NOW + 10 + MINUTE), true, "at the exact end");
    assert.equal(await take(holder, NOW + 10 + MINUTE), false);
    const again = await race(opened, 20, (racer, index) =>
      racer.administration.takeLease("sealer", `late-${index}`, NOW + HOUR, MINUTE),
    );
    assert.equal(again.filter(Boolean).length, 1);
  });

  contract("counts add up by name and hour, whoever adds", async (opened) => {
    const { store } = opened;
    const hour = NOW - (NOW % HOUR);
    await race(opened, 20, (racer, index) =>
      racer.administration.addCounts(
        [
          { name: "sign_in:done", hour, count: index },
          { name: "sign_in:refused", hour, count: 1 },
          { name: "sign_in:done", hour: hour + HOUR, count: 2 },
        ],
        `batch-${index}`,
        NOW,
      ),
    );
    await store.administration.addCounts([], "empty", NOW);
    const first = [
      { name: "sign_in:done", hour, count: 190 },
      { name: "sign_in:refused", hour, count: 20 },
    ];
    const second = { name: "sign_in:done", hour: hour + HOUR, count: 40 };
    assert.deepEqual(await store.administration.counts(hour, hour + HOUR), first);
    assert.deepEqual(await store.administration.counts(hour, hour + HOUR + 1), [...first, second]);
    assert.deepEqual(await store.administration.counts(hour + 1, hour + DAY), [second]);
    assert.deepEqual(await store.administration.counts(hour - DAY, hour), []);
  });

  contract("a batch of counts is added once, however often it is given and by how many", async (opened) => {
    const { store } = opened;
    const give = ({ administration }: typeof store, id: string, now = NOW) =>
      administration.addCounts([{ name: "mails_sent", hour: NOW, count: 7 }], id, now);
    await race(opened, 20, (racer) => give(racer, "first"));
    const counted = async () => (await store.administration.counts(NOW, NOW + 1)).map(({ count }) => count);
    assert.deepEqual(await counted(), [7]);
    await give(store, "first", NOW + HOUR);
    assert.deepEqual(await counted(), [7], "an hour later, when the answer was lost for so long");
    await give(store, "second");
    assert.deepEqual(await counted(), [14]);
  });

  contract("sweeping removes counts of more than forty days ago", async ({ store }) => {
    const hours = [NOW - 40 * DAY - 1, NOW - 40 * DAY, NOW];
    await store.administration.addCounts(
      hours.map((hour) => ({ name: "a", hour, count: 3 })),
      "batch",
      NOW,
    );
    assert.equal(await store.sweep(NOW), 1);
    const left = await store.administration.counts(0, NOW + 1);
    assert.deepEqual(
      left.map(({ hour }) => hour),
      hours.slice(1),
    );
  });

  contract("sign-outs are claimed oldest first, each by one worker", async (opened) => {
    const { store } = opened;
    const clients = await queueSignOuts(store, 6);
    const first = present(await store.administration.claimSignOut("w", NOW + 9, MINUTE));
    assert.deepEqual([first.clientId, first.attempts, first.createdAt], [clients[0], 1, NOW]);
    const claimed = await race(opened, 20, (racer, index) =>
      racer.administration.claimSignOut(`worker-${index}`, NOW + 9, MINUTE),
    );
    const got = claimed.flatMap((one) => one?.clientId ?? []);
    assert.deepEqual(got.toSorted(), clients.slice(1).toSorted());
    assert.equal(await store.administration.claimSignOut("late", NOW + 8 + MINUTE, MINUTE), undefined);
    const again = present(await store.administration.claimSignOut("late", NOW + 9 + MINUTE, MINUTE));
    assert.equal(again.attempts, 2, "its worker died");
  });

  contract(
    "a sign-out isn't due before it was queued, and settled by the holder of its lease alone",
    async ({ store }) => {
      const [client] = await queueSignOuts(store, 1);
      const { claimSignOut, settleSignOut } = store.administration;
      assert.equal(await claimSignOut("w", NOW - 1, MINUTE), undefined);
      const { id } = present(await claimSignOut("w", NOW, MINUTE));
      for (const next of [null, NOW]) assert.equal(await settleSignOut(id, "other", next), false);
      assert.equal(await settleSignOut(id, "w", NOW + HOUR), true);
      assert.equal(await settleSignOut(id, "w", null), false, "it was given back");
      assert.equal(await claimSignOut("w", NOW + HOUR - 1, MINUTE), undefined);
      const again = present(await claimSignOut("v", NOW + HOUR, MINUTE));
      assert.deepEqual([again.id, again.clientId, again.attempts], [id, client, 2]);
      assert.equal(await settleSignOut(id, "w", null), false, "another claimed it meanwhile");
      assert.equal(await settleSignOut(id, "v", null), true);
      assert.equal(await settleSignOut(id, "v", null), false);
      assert.equal(await claimSignOut("w", NOW + DAY, MINUTE), undefined);
    },
  );

  contract("D3: administration says so, too, when the store can't be reached", async ({ store }) => {
    await store.close();
    const { administration, audit, clients } = store;
    const change = { kind: "create_organization", organization: anOrganization() } as const;
    const mark = { seq: 1, mac: "m", at: NOW, seal: "s" };
    const asked = [
      () => administration.apply(change, { actor: "a", now: NOW }),
      () => administration.organizations({}, PAGE),
      () => administration.organizations({ search: "a" }, PAGE),
      () => administration.memberships({}, PAGE),
      () => administration.accounts({}, PAGE),
      () => administration.account(asAccountId("a")),
      () => administration.expiringPlans(NOW, NOW + 1, 5),
      () => administration.grants({}, PAGE, NOW),
      () => administration.countGrants(asClientId("c"), NOW, 5),
      () => administration.deliveries({}, PAGE),
      () => administration.apiKeys(),
      () => administration.apiKey(asSecretHash("h"), NOW),
      () => administration.noteApiKeyUse("k", NOW),
      () => administration.addCounts([{ name: "n", hour: NOW, count: 1 }], "batch", NOW),
      () => administration.counts(NOW, NOW + 1),
      () => administration.takeLease("l", "w", NOW, 1),
      () => administration.claimSignOut("w", NOW, 1),
      () => administration.settleSignOut("s", "w", null),
      () => audit.search({}, PAGE),
      () => audit.unsealed(5),
      () => audit.chainEnds(),
      () => audit.seal([], { after: 0, head: mark, base: mark }),
      () => audit.chain(1, 5),
      () => clients.noteUse(asClientId("c"), "current", NOW),
      () =>
        clients.noteRefused(
          asClientId("c"),
          { parameter: "redirect_uri", address: "https://a.example/" },
          NOW,
        ),
      () => clients.uses([asClientId("c")]),
    ];
    for (const ask of asked) {
      const isUnavailable = (error: unknown) =>
        error instanceof LiaisonError && error.code === "store_unavailable";
      await assert.rejects(ask(), isUnavailable, String(ask));
    }
  });
}
