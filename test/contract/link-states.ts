/**
 * What becomes of a link request in each state, whatever is done: a table of states and of what a store does
 * to requests by conditions on their state. A state that is added is asked for here by the compiler, with an
 * answer for each of these conditions, and both back ends are held to it.
 */

import assert from "node:assert/strict";
import type { LinkRequestState } from "../../src/domain/records.ts";
import type { NewLink, Store } from "../../src/storage/contract.ts";
import { NOW } from "../support/records.ts";
import {
  aNotice,
  type Case,
  dueMails,
  present,
  type Registered,
  redemption,
  register,
  request,
  type SignedIn,
  signIn,
  stateOf,
} from "./back-end.ts";
import { asks, GATHERED, limits } from "./collected-mail-fixture.ts";

/** Somebody who asked for a profile. */
interface Asked extends Registered {
  person: SignedIn;
  link: NewLink;
}

type Act = (store: Store, asked: Asked) => Promise<unknown>;

const redeemed: Act = (store, { person, link }) =>
  store.links.redeem(redemption(person, link), aNotice(), NOW);
const declined: Act = (store, { person, link }) => store.links.cancel(redemption(person, link), NOW);
const askedAgain: Act = (store, { person, profile }) => request(store, person, profile.id);
const switchedOff: Act = (store, { profile }) =>
  store.directory.putProfile({ ...profile, enabled: false }, "admin:7", NOW);

/** What is done with the link, its profile and its organization. */
const ACTS = {
  redeemed,
  declined,
  askedAgain,
  boundByAnother: async (store, { profile }) => {
    const rival = await signIn(store);
    await store.links.redeem(redemption(rival, await request(store, rival, profile.id)), aNotice(), NOW);
  },
  emailEdited: (store, { profile }) =>
    store.directory.putProfile({ ...profile, email: "n@b.example", emailKey: "n@b.example" }, "admin:7", NOW),
  switchedOff,
  organizationSwitchedOff: (store, { organization }) =>
    store.directory.putOrganization({ ...organization, enabled: false }, "admin:7", NOW),
} as const satisfies Record<string, Act>;

interface Fate {
  /** What brings a request that was just made into the state. */
  reach: Act | null;
  /** The state of the request after each act. */
  after: Record<keyof typeof ACTS, LinkRequestState>;
  /** What becomes of a mail with its link, whether it is queued or waits for its mailbox. */
  mail: "sent" | "dropped";
}

/** Nothing is done to it any more. */
const settled = (state: LinkRequestState, reach: Act): Fate => ({
  reach,
  after: {
    redeemed: state,
    declined: state,
    askedAgain: state,
    boundByAnother: state,
    emailEdited: state,
    switchedOff: state,
    organizationSwitchedOff: state,
  },
  mail: "dropped",
});

const FATES: Record<LinkRequestState, Fate> = {
  pending: {
    reach: null,
    after: {
      redeemed: "bound",
      declined: "cancelled",
      askedAgain: "superseded",
      boundByAnother: "void",
      emailEdited: "void",
      switchedOff: "void",
      organizationSwitchedOff: "void",
    },
    mail: "sent",
  },
  bound: settled("bound", redeemed),
  cancelled: settled("cancelled", declined),
  superseded: settled("superseded", askedAgain),
  void: settled("void", async (store, asked) => {
    await switchedOff(store, asked);
    await store.directory.putProfile(asked.profile, "admin:7", NOW);
  }),
};

/** What the tables say, by what they say it of. */
const entriesOf = <Key extends string, Value>(table: Readonly<Record<Key, Value>>) =>
  Object.entries<Value>(table) as [Key, Value][];

export function linkStateCases(contract: Case): void {
  for (const [state, { reach, after, mail }] of entriesOf(FATES)) {
    const asked = async (store: Store): Promise<Asked> => {
      const [registered, person] = [await register(store), await signIn(store)];
      return { ...registered, person, link: await request(store, person, registered.profile.id) };
    };
    const reached = async (store: Store, one: Asked): Promise<void> => {
      await reach?.(store, one);
      assert.equal(await stateOf(store, one.link), state);
    };

    contract(`a ${state} request, whatever is done`, async ({ store }) => {
      for (const [act, carryOut] of entriesOf<keyof typeof ACTS, Act>(ACTS)) {
        const one = await asked(store);
        await reached(store, one);
        await carryOut(store, one);
        assert.equal(await stateOf(store, one.link), after[act], act);
      }
    });

    contract(`the mail with the link of a ${state} request, queued and held`, async ({ store }) => {
      const queued = await asked(store);
      await reached(store, queued);
      const due = await dueMails(store, NOW);
      const isSent = due.some(({ message }) => message.id === queued.link.mail.id);
      assert.equal(isSent ? "sent" : "dropped", mail, "queued");

      const registered = await register(store);
      const held = { ...registered, ...(await asks(store, { profileId: registered.profile.id })) };
      const heldId = held.link.mail.id;
      assert.equal(present(await store.outbox.find(heldId)).state, "held");
      await reached(store, held);
      await store.outbox.releaseDeferred(limits, GATHERED);
      const released = present(await store.outbox.find(heldId)).state;
      assert.equal(released === "queued" ? "sent" : released, mail, "held");
    });
  }
}
