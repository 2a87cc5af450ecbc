/** Accounts and their identities: recognized, or made, at each sign-in. */

import { randomUUID } from "node:crypto";
import type { Instant } from "../../clock.ts";
import { accountCreated } from "../../domain/audit-entries.ts";
import { asAccountId } from "../../domain/ids.ts";
import type { Account, Identity, SignedInIdentity } from "../../domain/records.ts";
import { accountTexts } from "../../domain/search.ts";
import type { AccountStore } from "../contract.ts";
import { assertComparable } from "../encrypted-fields.ts";
import { AlreadyThere, type Engine, first, get, insert, list, type Steps, take, update } from "../steps.ts";
import { accounts, type IdentityRow, identities } from "../tables.ts";
import { audit } from "./audit.ts";
import { putSearched } from "./search.ts";

/** How often a sign-in begins anew because racers with other display data got in its way. */
const MOST_TURNS = 10;

export function createAccountStore(engine: Engine): AccountStore {
  return {
    async signIn(identity, now) {
      assertComparable(identity);
      for (let turn = 1; ; turn += 1) {
        const known = await engine.run(() => recognize(identity, now));
        if (known !== undefined) return known;
        try {
          const learnt = await engine.transaction(() => learn(identity, now));
          if (learnt !== undefined) return learnt;
          if (turn === MOST_TURNS) throw new Error("an identity is shown in another way again and again");
        } catch (error) {
          if (!(error instanceof AlreadyThere) || turn === MOST_TURNS) throw error;
        }
      }
    },
  };
}

export const lastUsedFirst = { order: ["lastSignInAt", "seq"], isDescending: true } as const;

/** The common case: an identity that is shown as it was. One update and one read, of no transaction. */
function* recognize(identity: SignedInIdentity, now: Instant): Steps<Account | undefined> {
  const { issuer, subject, upstreamId, email, emailVerified = false, displayName } = identity;
  const shownAsBefore = { issuer, subject, email, displayName, emailVerified };
  const known = yield* take(identities, shownAsBefore, { upstreamId, lastSignInAt: now }, {});
  return known && (yield* get(accounts, known.accountId));
}

/**
 * Makes the account, or writes what the identity is shown as and found by. Undefined if a racer did it
 * meanwhile.
 */
function* learn(identity: SignedInIdentity, now: Instant): Steps<Account | undefined> {
  const { issuer, subject, upstreamId, email, emailVerified = false, displayName } = identity;
  const before = yield* first(identities, { issuer, subject });
  if (before === undefined) return yield* create(identity, now);
  const { accountId } = before;
  const account = yield* get(accounts, accountId);
  if (account === undefined) throw new Error("an identity has lost its account");
  const isSame = before.email === email && before.displayName === displayName;
  if (isSame && before.emailVerified === emailVerified) return undefined;
  const shown = { upstreamId, email, emailVerified, displayName, lastSignInAt: now };
  yield* update(identities, { issuer, subject }, shown);
  const all = yield* list(identities, { accountId }, lastUsedFirst);
  yield* putSearched([{ kind: "account", id: accountId, texts: accountTexts(all) }]);
  return account;
}

function* create(identity: SignedInIdentity, now: Instant): Steps<Account> {
  const { issuer, subject, upstreamId, email, emailVerified = false, displayName } = identity;
  const account: Account = { id: asAccountId(randomUUID()), createdAt: now };
  const accountId = account.id;
  yield* insert(accounts, account);
  // Its unique index decides between racers.
  const shown = { email, emailVerified, displayName };
  yield* insert(identities, {
    issuer,
    subject,
    upstreamId,
    accountId,
    ...shown,
    createdAt: now,
    lastSignInAt: now,
  });
  yield* putSearched([{ kind: "account", id: accountId, texts: accountTexts([identity]) }]);
  yield* audit(accountCreated(accountId, upstreamId, now));
  return account;
}

export function toIdentity({ seq: _place, ...identity }: IdentityRow): Identity {
  return identity;
}
