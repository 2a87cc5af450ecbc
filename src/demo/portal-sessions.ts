/** The sessions of a demo portal: in memory, found by a cookie whose value changes at sign-in. */

import { randomBytes } from "node:crypto";
import type { Context } from "koa";

/** A sign-in that this browser began, waiting for its callback under its `state`. */
export interface PendingSignIn {
  nonce: string;
  codeVerifier: string;
  returnTo: string;
}

/** What the portal knows of the person after the callback. */
export interface SignedIn {
  subject: string;
  sid: string | null;
  idToken: string;
  refreshToken: string | null;
  /** Claims of the ID token, laid over by userinfo. */
  claims: Record<string, unknown>;
  signedInAt: Date;
  claimsReadAt: Date;
}

export interface Visitor {
  id: string;
  pending: Map<string, PendingSignIn>;
  signedIn: SignedIn | null;
  /** Said once on the next page. */
  notice: string | null;
}

const MAX_VISITORS = 2000;
const MAX_PENDING = 20;

export class PortalSessions {
  readonly #visitors = new Map<string, Visitor>();
  readonly #cookie: string;

  constructor(cookie: string) {
    this.#cookie = cookie;
  }

  /** The visitor of this browser, if it is known. */
  find(ctx: Context): Visitor | undefined {
    return this.#visitors.get(ctx.cookies.get(this.#cookie) ?? "");
  }

  /** The visitor of this browser, or a new one. */
  findOrCreate(ctx: Context): Visitor {
    return this.find(ctx) ?? this.#add(ctx, { id: "", pending: new Map(), signedIn: null, notice: null });
  }

  /** Remembers a begun sign-in; of too many, the oldest is forgotten. */
  addPending(visitor: Visitor, state: string, pending: PendingSignIn): void {
    visitor.pending.set(state, pending);
    dropOldest(visitor.pending, MAX_PENDING);
  }

  /** Signs the visitor in under a new session id. */
  signIn(ctx: Context, visitor: Visitor, signedIn: SignedIn): void {
    this.#visitors.delete(visitor.id);
    this.#add(ctx, { ...visitor, signedIn, notice: null });
  }

  /**
   * Signs out every session that back-channel logout means: by `sid` if it names one, by subject otherwise.
   */
  signOutRemotely(subject: string | undefined, sid: string | undefined): number {
    let count = 0;
    for (const visitor of this.#visitors.values()) {
      const { signedIn } = visitor;
      if (signedIn === null || (sid === undefined ? signedIn.subject !== subject : signedIn.sid !== sid))
        continue;
      visitor.signedIn = null;
      visitor.notice =
        "You were signed out here because your sign-in ended elsewhere, or your access changed.";
      count += 1;
    }
    return count;
  }

  #add(ctx: Context, visitor: Visitor): Visitor {
    const added = { ...visitor, id: randomBytes(32).toString("base64url") };
    this.#visitors.set(added.id, added);
    dropOldest(this.#visitors, MAX_VISITORS);
    ctx.cookies.set(this.#cookie, added.id, {
      httpOnly: true,
      sameSite: "lax",
      path: "/",
      signed: false,
      overwrite: true,
    });
    return added;
  }
}

function dropOldest<Key>(map: Map<Key, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
