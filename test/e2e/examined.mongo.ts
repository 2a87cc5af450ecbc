/** What the server looks at for a sign-in and for an inquiry doesn't grow with the number of profiles. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Document, MongoClient } from "mongodb";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Liaison, linkByMail, people, register, signIn, startLiaison } from "../support/liaison.ts";
import { insertProfiles } from "../support/many-profiles.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replica-set.ts";

const sizes = [1000, 1_000_000] as const;
const address = "ann@northwind.example";

interface Examined {
  keys: number;
  documents: number;
  operations: number;
}

/**
 * Whether an operation is the flow's: all that requests do, over connections that are theirs, and of what the
 * background does what looks into the directory for an inquiry. How often its workers look whether there is
 * work is a matter of chance and load.
 */
function isOfFlow({ appName, ns, command }: Document): boolean {
  const collection = String(ns).replace(/^[^.]*\./, "");
  // That a client was used is noted once a minute.
  if (appName === "liaison") return collection !== "clientUses";
  return collection === "profiles" && JSON.stringify(command).includes("emailKey");
}

describe("keys and documents examined", () => {
  let set: ReplicaSet;
  before(async () => {
    // The profile of operations has no index to be read by.
    set = await startReplicaSet({ noTableScan: false });
  });
  after(() => set?.close());

  it(`are equal at ${sizes.join(" and ")} profiles`, async (context) => {
    const results: Record<string, Examined>[] = [];
    for (const size of sizes) {
      const liaison = await startLiaison({ replicaSet: set });
      try {
        results.push(await examinedAt(liaison, size, set));
      } finally {
        await liaison.close();
      }
      context.diagnostic(`${size} profiles: ${JSON.stringify(results.at(-1))}`);
    }
    assert.deepEqual(results[1], results[0]);
    assert.ok((results[0]?.["sign-in"]?.keys ?? 0) > 0 && (results[0]?.["inquiry"]?.keys ?? 0) > 0);
  });

  async function examinedAt(
    liaison: Liaison,
    size: number,
    { url }: ReplicaSet,
  ): Promise<Record<string, Examined>> {
    const client = new MongoClient(url);
    try {
      const db = client.db(liaison.config.storage.mongodb?.database ?? "");
      await insertProfiles(db, size);
      await register(liaison, { id: asOrganizationId("northwind") }, [
        { id: "p-ann", email: address },
        { id: "p-ann-2", email: "ann.2@northwind.example" },
      ]);
      const { customerSource: portal, mailbox } = liaison;
      const browser = liaison.browser();
      await linkByMail(liaison, browser, await portal.start(), people.ann, address);

      /** Asked over a connection of its own, whose operations aren't counted. */
      const everythingSent = async () => {
        while ((await db.collection("outbox").countDocuments({ state: "queued" })) > 0)
          await new Promise((resolve) => setTimeout(resolve, 50));
      };

      /** Runs a flow with every operation noted down, and adds up what each looked at. */
      const measured = async (flow: () => Promise<void>): Promise<Examined> => {
        await everythingSent();
        await db.command({ profile: 0 });
        await db.collection("system.profile").drop();
        await db.command({ profile: 2 });
        await flow();
        await db.command({ profile: 0 });
        const all = await db
          .collection("system.profile")
          .find({ appName: /^liaison/, docsExamined: { $exists: true } })
          .toArray();
        const operations = all.filter(isOfFlow);
        const sum = (field: string) =>
          operations.reduce((total, operation) => total + Number(operation[field] ?? 0), 0);
        const looking = operations.filter(
          ({ keysExamined, docsExamined }) => keysExamined + docsExamined > 0,
        );
        return { keys: sum("keysExamined"), documents: sum("docsExamined"), operations: looking.length };
      };

      const signInFlow = await measured(async () => {
        const started = await portal.start();
        const end = await signIn(liaison.browser(), started, people.ann);
        const tokens = await portal.exchange(end.url, started);
        await portal.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
      });
      const mails = mailbox.mails.length;
      const inquiry = await measured(async () => {
        const stranger = liaison.browser();
        const linkStep = await signIn(stranger, await portal.start(), people.ben);
        await stranger.press(linkStep, /^(Continue|Send)/, { email: "ann.2@northwind.example" });
        await mailbox.arrived(mails + 1, 20_000);
        await everythingSent();
      });
      return { "sign-in": signInFlow, inquiry };
    } finally {
      await client.close();
    }
  }
});
