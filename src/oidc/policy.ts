/**
 * The interaction policy: which step an authorization request still needs, in order. Each check asks the one
 * admission decision; the dispatcher (dispatcher.ts) asks the same and shows the step.
 */

import { interactionPolicy, type KoaContextWithOIDC } from "oidc-provider";
import { demandOf, opensAdministration, type SignInDemand } from "../domain/administration.ts";
import type { Admission } from "../domain/admission.ts";
import { asClientId } from "../domain/ids.ts";
import type { AccountsAtClient } from "./account-at-client.ts";
import { methodOf } from "./authentication.ts";

const { Check, Prompt, base } = interactionPolicy;

/** The reason of a login prompt: a session is there, but no such one as opens the administration. */
export const insufficientForAdministration = "administration";

/** `login`, a `consent` that is never asked, `link`, `select_account`. */
export function createInteractionPolicy(
  accounts: AccountsAtClient,
  administration: SignInDemand,
): interactionPolicy.Prompt[] {
  const admissionIs: AdmissionTest = (kind) => async (ctx) => (await accounts.admission(ctx))?.kind === kind;
  return [loginPrompt(administration), consentPrompt(), linkPrompt(admissionIs), chooserPrompt(admissionIs)];
}

/** What a check looks at: whether the admission is of this kind. */
type AdmissionTest = (kind: Admission["kind"]) => (ctx: KoaContextWithOIDC) => Promise<boolean>;

function loginPrompt(administration: SignInDemand): interactionPolicy.Prompt {
  const login = base().get("login");
  if (login === undefined) throw new TypeError("oidc-provider's base policy has no login prompt");
  login.checks.add(
    new Check(
      "account_missing",
      "the session's account no longer exists",
      "login_required",
      (ctx) => ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined,
    ),
  );

  // Also right after a sign-in: the step then says what is asked for, and begins another only when it is told
  // to.
  login.checks.add(
    new Check(
      insufficientForAdministration,
      "the administration asks for another sign-in",
      "login_required",
      (ctx) => {
        const { client, session } = ctx.oidc;
        const demand = client && demandOf(asClientId(client.clientId), administration);
        if (demand === undefined || session?.accountId === undefined) return false;
        return !opensAdministration(demand, methodOf(session));
      },
    ),
  );
  return login;
}

/**
 * Requestable, so that `prompt=consent` (needed for `offline_access`, OpenID Connect Core 11) is understood;
 * without checks, because the vendor's own portals need nobody's consent.
 */
function consentPrompt(): interactionPolicy.Prompt {
  const consent = new Prompt({ name: "consent", requestable: true });
  consent.checks.clear();
  return consent;
}

function linkPrompt(admissionIs: AdmissionTest): interactionPolicy.Prompt {
  return new Prompt(
    { name: "link", requestable: false },
    new Check(
      "unlinked",
      "no profile is linked to the account",
      "interaction_required",
      admissionIs("unlinked"),
    ),
    new Check(
      "not_admitted",
      "no linked profile is admitted by the client",
      "access_denied",
      admissionIs("not_admitted"),
    ),
  );
}

function chooserPrompt(admissionIs: AdmissionTest): interactionPolicy.Prompt {
  return new Prompt(
    { name: "select_account", requestable: true },
    new Check(
      "several_profiles",
      "a profile must be chosen",
      "account_selection_required",
      admissionIs("choose"),
    ),
  );
}
