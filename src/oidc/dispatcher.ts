/**
 * The one dispatcher: reads what is stored about an interaction and says which step comes next. Steps write
 * rows and come back here; they never lead to one another. http/interaction.ts shows the step; policy.ts asks
 * the same admission.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { errors, type InteractionResults, type Provider } from "oidc-provider";
import type { Clock, Instant } from "../clock.ts";
import type { AccountAtClient } from "../domain/admission.ts";
import { type Admission, decideAdmission } from "../domain/admission.ts";
import { asAccountId, asClientId } from "../domain/ids.ts";
import type { Client, Membership, ProfileId, SecretHash, SignInOutcome } from "../domain/records.ts";
import { hashSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { AccountAtClientStore, ArtifactExtension, SignInStore } from "../storage/contract.ts";
import { loginMethods } from "./authentication.ts";
import type { ClientDirectory } from "./clients.ts";
import { neededBy, type ProvenLogin } from "./foreign-browser.ts";
import { openedInteraction } from "./interaction-lifetime.ts";
import { type Browser, sessionUidOf } from "./internals.ts";
import { insufficientForAdministration } from "./policy.ts";
import { readAuthorizationRequest } from "./request-parameters.ts";

/** An interaction as our steps see it. */
export interface InteractionState {
  uid: string;
  /** Stable over all interactions of one authorization request. */
  cid: string;
  prompt: string;
  /** Whether the portal asked for a fresh sign-in, and how fresh (seconds). */
  forced: boolean;
  maxAge: number | undefined;
  /** Whether somebody is signed in, but not in such a way as opens the administration. */
  isInsufficient: boolean;
  loginHint: string | undefined;
  upstreamHint: string | undefined;
  redirectUri: string;
  client: Client;
  /** The SHA-256 of the proofs of sign-ins that its browser holds. */
  proofs: readonly SecretHash[];
  /** A sign-in of this browser that is recorded already: this request is a repeated one. */
  signedIn: ProvenLogin | undefined;
  /** Undefined while nobody is signed in. */
  accountAtClient: AccountAtClient | undefined;
  admission: Admission | undefined;
  /** Whether the portal itself asked for the chooser. */
  chooserRequested: boolean;
  /**
   * What to tell the store as its page is opened, or a sign-in begun; undefined where an earlier step of the
   * same browser led to it.
   */
  opened: ArtifactExtension | undefined;
}

export type Step =
  | { step: "sign_in" }
  | { step: "link" }
  | { step: "not_admitted"; admission: Extract<Admission, { kind: "not_admitted" }> }
  | ChooseStep
  | { step: "finish"; result: InteractionResults };

type Interaction = Awaited<ReturnType<Provider["interactionDetails"]>>;

/** The chooser of profiles. */
export interface ChooseStep {
  step: "choose";
  choices: Membership[];
  /** The one that is marked when the page opens: continuing without a look changes nothing. */
  selected: ProfileId | null;
  /** The one in use at the portal, also where it isn't among the choices any more. */
  current: ProfileId | null;
  /** The one that the request asks for instead, by its `profile_hint`. */
  hinted: ProfileId | null;
}

export interface DispatcherDeps {
  provider: Provider;
  accountsAtClients: AccountAtClientStore;
  signIns: SignInStore;
  clients: ClientDirectory;
  clock: Clock;
}

export interface Dispatcher {
  /**
   * Loads the interaction that the request's cookie names, for the browser that holds these proofs of its
   * sign-ins: it must be the one that signed in for it or, where nobody did, have the session that it stands
   * on. @throws LiaisonError `sign_in_expired`, `sign_in_mismatch`
   */
  load(
    request: IncomingMessage,
    response: ServerResponse,
    uid: string,
    proofs: readonly SecretHash[],
  ): Promise<InteractionState>;
  /**
   * Which step comes next. With `returned` (back from an upstream) it takes the finished sign-in that waits.
   */
  next(state: InteractionState, returned: boolean): Promise<Step>;
  /** Records a step's result and returns where the browser goes on. */
  finish(request: IncomingMessage, response: ServerResponse, result: InteractionResults): Promise<string>;
  /** What is known of an interaction that this browser can't go on with. */
  lost(uid: string): Promise<{ client: Client | undefined; state: "alive" | "expired" | "gone" }>;
}

/** Makes the dispatcher. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { provider, signIns, clients, clock } = deps;
  return {
    load: async (request, response, uid, proofs) => {
      const interaction = await details(provider, request, response);
      if (interaction.uid !== uid) throw LiaisonError.signInMismatch("This page belongs to another sign-in.");
      await assertItsBrowser(provider, interaction, { browser: { req: request, res: response }, proofs });
      return await stateOf(deps, interaction, proofs);
    },

    next: async (state, returned) => {
      if (returned) {
        const { uid, proofs, signedIn } = state;
        const outcome = await signIns.takeOutcome(hashSecret(uid), proofs, clock.now());
        const login = outcome === undefined ? signedIn : provenLogin(outcome);
        if (login !== undefined) return { step: "finish", result: { login } };
      }
      if (state.prompt === "login") return { step: "sign_in" };
      if (state.prompt === "link") return linkStep(state.admission);
      if (state.prompt === "select_account") return chooserStep(state);
      return { step: "finish", result: { [state.prompt]: {} } };
    },

    finish: async (request, response, result) => await provider.interactionResult(request, response, result),

    lost: async (uid) => {
      const interaction = await provider.Interaction.find(uid, { ignoreExpiration: true });
      if (interaction === undefined) return { client: undefined, state: "gone" };
      const client = await clients.find(
        asClientId(readAuthorizationRequest(interaction.params).clientId ?? ""),
      );
      return { client, state: interaction.isExpired ? "expired" : "alive" };
    },
  };
}

/** Refuses a browser that has the interaction's cookie alone. */
async function assertItsBrowser(
  provider: Provider,
  interaction: Interaction,
  { browser, proofs }: { browser: Browser; proofs: readonly SecretHash[] },
): Promise<void> {
  const needed = neededBy(interaction);
  if (needed === null) return;
  if ("proofHash" in needed && needed.proofHash !== undefined && proofs.includes(needed.proofHash)) return;
  const byProofAlone = needed.kind === "proof";
  if (!byProofAlone && (await sessionUidOf(provider, browser)) === interaction.session?.uid) return;
  throw LiaisonError.signInMismatch("Somebody signed in for this in another browser.");
}

async function stateOf(
  { accountsAtClients, clients, clock }: DispatcherDeps,
  interaction: Interaction,
  proofs: readonly SecretHash[],
): Promise<InteractionState> {
  const { uid, params, prompt, session } = interaction;
  const asked = readAuthorizationRequest(params);
  const client = await clients.find(asClientId(asked.clientId ?? ""));
  if (client === undefined) throw LiaisonError.signInExpired("The portal is no longer registered.");
  const now = () => clock.now();
  const accountAtClient =
    session === undefined
      ? undefined
      : await accountsAtClients.forClient(asAccountId(session.accountId), client.id, session.uid, now());
  return {
    uid,
    cid: interaction.cid,
    prompt: prompt.name,
    // At every step: who goes on with another account must come as fresh as the first.
    forced: asked.prompts.has("login"),
    isInsufficient: prompt.reasons.includes(insufficientForAdministration),
    maxAge: asked.maxAgeSeconds,
    loginHint: asked.loginHint,
    upstreamHint: asked.upstreamHint,
    redirectUri: asked.redirectUri ?? "",
    client,
    proofs,
    signedIn: interaction.result?.login as ProvenLogin | undefined,
    accountAtClient,
    admission:
      accountAtClient &&
      decideAdmission({ accountAtClient, policy: client.policy, hint: asked.profileHint, now: now() }),
    chooserRequested: prompt.reasons.includes("select_account_prompt"),
    opened: interaction.lastSubmission === undefined ? openedNow(interaction, now()) : undefined,
  };
}

function openedNow({ uid, remainingTTL, session }: Interaction, now: Instant): ArtifactExtension | undefined {
  return openedInteraction(uid, { secondsLeft: remainingTTL, isSignedIn: session !== undefined }, now);
}

function linkStep(admission: Admission | undefined): Step {
  if (admission?.kind === "unlinked") return { step: "link" };
  if (admission?.kind === "not_admitted") return { step: "not_admitted", admission };
  return { step: "finish", result: { link: {} } };
}

function chooserStep({ admission, chooserRequested, accountAtClient }: InteractionState): Step {
  if (admission?.kind === "choose") {
    const { choices, current, hinted } = admission;
    const [only, ...others] = choices;
    const inUse =
      choices.find(({ profile }) => profile.id === current) ?? (others.length === 0 ? only : undefined);
    return { step: "choose", choices, selected: inUse?.profile.id ?? null, current, hinted };
  }
  if (admission?.kind !== "admitted") return { step: "finish", result: { select_account: {} } };
  const { choices, membership } = admission;
  const current = accountAtClient?.current?.profileId ?? null;
  if (chooserRequested)
    return { step: "choose", choices, selected: membership.profile.id, current, hinted: null };
  return { step: "finish", result: { select_account: {} } };
}

function provenLogin(outcome: SignInOutcome): ProvenLogin {
  const { accountId, authTime, proofHash } = outcome;
  return { accountId, ts: authTime, remember: false, proofHash, ...loginMethods(outcome) };
}

async function details(provider: Provider, request: IncomingMessage, response: ServerResponse) {
  try {
    return await provider.interactionDetails(request, response);
  } catch (cause) {
    if (!(cause instanceof errors.SessionNotFound)) throw cause;
    throw LiaisonError.signInExpired("This sign-in can't be continued here.", cause);
  }
}
