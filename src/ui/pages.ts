/**
 * Every page by its name. A page is a pure function of the deployment and its own data to a whole HTML
 * document.
 */

import { checkEmail } from "./pages/check-email.ts";
import { chooseProfile } from "./pages/choose-profile.ts";
import { error } from "./pages/error.ts";
import { help } from "./pages/help.ts";
import { home } from "./pages/home.ts";
import { linkCancelled } from "./pages/link-cancelled.ts";
import { linkDead } from "./pages/link-dead.ts";
import { linkLanding } from "./pages/link-landing.ts";
import { linkStep } from "./pages/link-step.ts";
import { linked } from "./pages/linked.ts";
import { notAdmitted } from "./pages/not-admitted.ts";
import { signIn } from "./pages/sign-in.ts";
import { signInLost } from "./pages/sign-in-lost.ts";
import { signOut } from "./pages/sign-out.ts";
import { signedOut } from "./pages/signed-out.ts";
import { support, supportSent } from "./pages/support.ts";
import { upstreamProblem } from "./pages/upstream-problem.ts";
import { wrongAccount } from "./pages/wrong-account.ts";

export const pages = {
  home,
  signIn,
  linkStep,
  support,
  supportSent,
  checkEmail,
  linkLanding,
  wrongAccount,
  linked,
  linkDead,
  linkCancelled,
  chooseProfile,
  notAdmitted,
  upstreamProblem,
  signInLost,
  signOut,
  signedOut,
  error,
  help,
};

export type Pages = typeof pages;
export type PageName = keyof typeof pages;
