/**
 * Whose an interaction is: what a sign-in made is given to the browser alone that brought its callback. An
 * interaction's cookie and its resume cookie say who has them, not who signed in.
 */

import { errors, type InteractionResults } from "oidc-provider";
import type { SecretHash } from "../domain/records.ts";

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
 * What has to show that an interaction is a browser's: the proof of a sign-in that was made for this very
 * interaction; or, where an earlier one of the chain or nobody signed in, the session that it stands on;
 * nothing where neither is there.
 */
export type Needed =
  | { kind: "proof" | "proof_or_session"; proofHash: SecretHash | undefined }
  | { kind: "session" }
  | null;

export function neededBy(interaction: SignedInInteraction): Needed {
  const login = loginOf(interaction);
  const standsOnSession = interaction.session?.uid !== undefined;
  if (login === undefined) return standsOnSession ? { kind: "session" } : null;
  const { proofHash } = login;
  // The session was made of the earlier sign-in, in the browser that had its proof.
  const earlier = (interaction.lastSubmission?.login as ProvenLogin | undefined)?.proofHash;
  const isEarlier = interaction.lastSubmission?.login !== undefined && earlier === proofHash;
  return { kind: isEarlier && standsOnSession ? "proof_or_session" : "proof", proofHash };
}
