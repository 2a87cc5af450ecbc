/**
 * The one dispatcher: reads what is stored about an interaction and says which step comes next. Steps write rows and come
 * back here; they never lead to one another. http/interaction.ts shows the step; policy.ts asks the same admission.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { errors, type InteractionResults, type Provider } from "oidc-provider";
import type { Clock } from "../clock.ts";
import { type Admission, decideAdmission } from "../domain/admission.ts";
import { hashSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { SignInStore, Standing, StandingStore } from "../storage/contract.ts";
import type { Client, Membership, ProfileId } from "../storage/records.ts";
import { loginMethods } from "./authentication.ts";
import type { ClientDirectory } from "./clients.ts";
import { insufficientForAdministration } from "./policy.ts";

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
  /** Undefined while nobody is signed in. */
  standing: Standing | undefined;
  admission: Admission | undefined;
  /** Whether the portal itself asked for the chooser. */
  chooserRequested: boolean;
}

export type Step =
  | { step: "sign_in" }
  | { step: "link" }
  | { step: "not_admitted"; admission: Extract<Admission, { kind: "not_admitted" }> }
  | { step: "choose"; choices: Membership[]; selected: ProfileId | null }
  | { step: "finish"; result: InteractionResults };

export interface DispatcherDeps {
  provider: Provider;
  standings: StandingStore;
  signIns: SignInStore;
  clients: ClientDirectory;
  clock: Clock;
}

export interface Dispatcher {
  /** Loads the interaction that the request's cookie names. @throws LiaisonError `sign_in_expired`, `sign_in_mismatch` */
  load(request: IncomingMessage, response: ServerResponse, uid: string): Promise<InteractionState>;
  /** Which step comes next. With `returned` (back from an upstream) it takes the finished sign-in that waits. */
  next(state: InteractionState, returned: boolean): Promise<Step>;
  /** Records a step's result and returns where the browser goes on. */
  finish(request: IncomingMessage, response: ServerResponse, result: InteractionResults): Promise<string>;
  /** What is known of an interaction that this browser can't go on with. */
  lost(uid: string): Promise<{ client: Client | undefined; state: "alive" | "expired" | "gone" }>;
}

export function createDispatcher({ provider, standings, signIns, clients, clock }: DispatcherDeps): Dispatcher {
  return {
    load: async (request, response, uid) => {
      const interaction = await details(provider, request, response);
      if (interaction.uid !== uid) throw new LiaisonError("sign_in_mismatch", "This page belongs to another sign-in.");
      const { params, prompt, session } = interaction;
      const client = await clients.find(String(params["client_id"]));
      if (client === undefined) throw new LiaisonError("sign_in_expired", "The portal is no longer registered.");
      const standing =
        session === undefined
          ? undefined
          : await standings.forClient(session.accountId, client.id, session.uid, clock.now());
      return {
        uid,
        cid: interaction.cid,
        prompt: prompt.name,
        forced: prompt.reasons.includes("login_prompt"),
        isInsufficient: prompt.reasons.includes(insufficientForAdministration),
        maxAge: typeof params["max_age"] === "number" ? params["max_age"] : undefined,
        loginHint: text(params["login_hint"]),
        upstreamHint: text(params["upstream"]),
        redirectUri: String(params["redirect_uri"]),
        client,
        standing,
        admission:
          standing &&
          decideAdmission({ standing, policy: client.policy, hint: text(params["profile_hint"]), now: clock.now() }),
        chooserRequested: prompt.reasons.includes("select_account_prompt"),
      };
    },

    next: async (state, returned) => {
      const outcome = returned ? await signIns.takeOutcome(hashSecret(state.uid), clock.now()) : undefined;
      if (outcome !== undefined) {
        const { accountId, authTime } = outcome;
        return {
          step: "finish",
          result: { login: { accountId, ts: authTime, remember: false, ...loginMethods(outcome) } },
        };
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
      const client = await clients.find(String(interaction.params["client_id"]));
      return { client, state: interaction.isExpired ? "expired" : "alive" };
    },
  };
}

function linkStep(admission: Admission | undefined): Step {
  if (admission?.kind === "unlinked") return { step: "link" };
  if (admission?.kind === "not_admitted") return { step: "not_admitted", admission };
  return { step: "finish", result: { link: {} } };
}

function chooserStep({ admission, chooserRequested }: InteractionState): Step {
  if (admission?.kind === "choose") return { step: "choose", choices: admission.choices, selected: null };
  if (admission?.kind !== "admitted") return { step: "finish", result: { select_account: {} } };
  const selected = admission.membership.profile.id;
  if (chooserRequested) return { step: "choose", choices: admission.choices, selected };
  return { step: "finish", result: { select_account: {} } };
}

async function details(provider: Provider, request: IncomingMessage, response: ServerResponse) {
  try {
    return await provider.interactionDetails(request, response);
  } catch (cause) {
    if (!(cause instanceof errors.SessionNotFound)) throw cause;
    throw new LiaisonError("sign_in_expired", "This sign-in can't be continued here.", { cause });
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
