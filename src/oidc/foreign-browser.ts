/**
 * Whose an interaction is: what a sign-in made is given to the browser alone that brought its callback. An interaction's cookie
 * and its resume cookie say who has them, not who signed in.
 */

import { errors, type InteractionResults } from "oidc-provider";
import type { SecretHash } from "../storage/records.ts";

/** The part of an interaction, or of its stored payload, that says who signed in for it. */
export interface SignedInInteraction {
  result?: InteractionResults | undefined;
  lastSubmission?: InteractionResults | undefined;
  session?: { uid?: string | undefined } | undefined;
}

/** What the dispatcher records of a finished sign-in: oidc-provider's `login`, and whose it is. */
export type ProvenLogin = NonNullable<InteractionResults["login"]> & {
  /** SHA-256 of the proof that the callback gave to its browser. */
  proofHash?: SecretHash | undefined;
};

/** A resume by a browser that didn't sign in for it. */
export class ForeignBrowser extends errors.SessionNotFound {
  constructor() {
    super("this sign-in was finished in another browser");
  }
}

/** The sign-in that an interaction rests on, or that an earlier one of its chain did. */
export function loginOf({ result, lastSubmission }: SignedInInteraction): ProvenLogin | undefined {
  return (result?.login ?? lastSubmission?.login) as ProvenLogin | undefined;
}

/**
 * Whether a browser may go on with an interaction, as far as its sign-in is concerned: it holds the proof, or nobody has
 * signed in yet. One that was written before there were proofs stands on a session, which oidc-provider compares.
 */
export function mayGoOn(interaction: SignedInInteraction, holds: (proofHash: SecretHash) => boolean): boolean {
  const login = loginOf(interaction);
  if (login === undefined) return true;
  if (login.proofHash === undefined) return interaction.session?.uid !== undefined;
  return holds(login.proofHash);
}
