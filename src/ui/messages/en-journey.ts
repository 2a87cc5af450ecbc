/** English: the way from a portal through the sign-in and back. */
export const journey = {
  "home.title": "One sign-in for your organization's portals",
  "home.lead":
    "{site} lets you use an account you already have. It connects that account with the profile that your organization registered for you.",
  "home.portals": "Where do you want to go?",
  "home.portalsHint": "Start at the portal. You come here to sign in, and then go back there.",
  "home.about": "About {portal}",
  "home.helpLead": "First time, or something went wrong? <link>Read how signing in works</link>.",

  "signIn.title": "Sign in",
  "signIn.titlePortal": "Sign in to {portal}",
  "signIn.lead":
    "Choose the account to sign in with. Any email address can be used for it; you'll use this account every time.",
  "signIn.leadOne":
    "You sign in with your account at {upstream}. Any email address can be used for it; you'll use this account every time.",
  "signIn.firstTime":
    "The first time, we also ask for the email address registered with your organization. It may be another one.",
  "signIn.continueWith": "Continue with {upstream}",
  "signIn.createAccount": "Create an account",
  "signIn.forgotPassword": "Forgot password",
  "signIn.about": "About {upstream}",
  "signIn.at": "at {upstream}",
  "signIn.cancelled": "You are not signed in yet",
  "signIn.cancelledText":
    "Signing in was cancelled, or your account wasn't let in there. Nothing has changed. Choose an account to try again, or go back.",
  "signIn.signedOut": "This browser was signed out",
  "signIn.signedOutText":
    "Choose again which account to sign in with. If others use this computer too, check that the account you are shown next is your own.",
  "signIn.back": "Don't want to sign in? You can go back to {portal} without it.",
  "signIn.insufficient": "This needs another sign-in",
  "signIn.insufficientWhy":
    "You are signed in, but not in a way that opens the administration. It opens for an account at {upstreams}.",
  "signIn.insufficientProof":
    "There you must also prove more than by a password, with a second factor for instance.",
  "signIn.insufficientDo":
    "Sign in again. If you come back to this page, that account can't do it yet: ask an owner of this service how it is set up there, or write to {contact}.",
  "signIn.insufficientSays": "For them: the ID token must say",
  "signIn.failed": "Signing in didn't work",
  "signIn.failedText": "Try again. If it fails again, write to {contact}.",

  "chooseProfile.title": "Which profile do you want to use?",
  "chooseProfile.hint":
    "Each one shows you other data. At many portals you can switch later, without signing in again.",
  "chooseProfile.hinted":
    "You were sent here for another profile than the one that you use at {portal} now. Nothing changes unless you choose it.",
  "chooseProfile.lost": "The profile that you used doesn't open {portal} any more.",
  "chooseProfile.current": "In use now",
  "chooseProfile.hintedOne": "Asked for",
  "chooseProfile.submit": "Continue",

  "notAdmitted.title":
    "{count, plural, one {Your profile doesn't open {portal}} other {Your profiles don't open {portal}}}",
  "notAdmitted.lead":
    "{count, plural, one {You are signed in, and your profile is linked. But it can't be used at {portal}:} other {You are signed in, and # profiles are linked. But none of them can be used at {portal}:}}",
  "notAdmitted.reason.profile_disabled": "This profile is switched off.",
  "notAdmitted.reason.organization_disabled": "{organization} is switched off in this service.",
  "notAdmitted.reason.kind_not_admitted.customer": "{portal} isn't open to customers.",
  "notAdmitted.reason.kind_not_admitted.partner": "{portal} isn't open to partners.",
  "notAdmitted.reason.kind_not_admitted.operator": "{portal} isn't open to the operator's own staff.",
  "notAdmitted.reason.plan_missing": "A service plan is needed for {portal}, and {organization} has none.",
  "notAdmitted.reason.plan_suspended": "The service plan of {organization} is suspended.",
  "notAdmitted.reason.plan_expired": "The service plan of {organization} has ended.",
  "notAdmitted.reason.plan_expired_at": "The service plan of {organization} ended on {date}.",
  "notAdmitted.reason.role_missing": "This profile doesn't have a role that is needed for {portal}.",
  "notAdmitted.opens": "It opens {portals}.",
  "notAdmitted.opensNothing": "It opens no other portal at the moment.",
  "notAdmitted.askSupport":
    "Do you think this is wrong? Write to {contact}. Give your name and your organization's account number.",
  "notAdmitted.linkAnother":
    "Are you registered with another organization, or under another email address? <link>Link another profile</link>.",
  "notAdmitted.useAnother":
    'Did you sign in with the wrong account? Choose "Use another account" at the end of this page.',

  "notAdmitted.back": "Or go back to {portal} without signing in.",

  "signOut.sign_out.title": "Do you want to sign out?",
  "signOut.sign_out.lead":
    "You'll be signed out of {site} in this browser, and of the portals that it can tell.",
  "signOut.sign_out.automatic": "You are being signed out. If nothing happens, press the button.",
  "signOut.sign_out.submit": "Sign out",
  "signOut.stay": "Stay signed in and go back to {portal}",
  "signOut.nothing_left.title": "You are already signed out here",
  "signOut.nothing_left.lead": "You are not signed in to {site} in this browser.",
  "signOut.nothing_left.automatic": "This page goes on by itself. If nothing happens, press the button.",
  "signOut.nothing_left.submit": "Continue",
  "signOut.back": "Continue to go back to {portal}.",
  "signOut.switch_account.title": "Switching accounts",
  "signOut.switch_account.lead":
    "You signed in with another account than the one used in this browser before.",
  "signOut.switch_account.automatic": "This page goes on by itself. If nothing happens, press the button.",
  "signOut.switch_account.submit": "Continue",
  "signOut.before":
    "The account used before is signed out of {site}, and of the portals it was used for. Then you go on with the new one.",

  "signedOut.title": "You are signed out",
  "signedOut.lead": "You are signed out of {site} in this browser.",
  "staysKnown.title": "Where you may still be signed in",
  "staysKnown.upstream": "At {upstream}, where your account is",
  "staysKnown.portals": "At {portals}, until you sign out there",
  "staysKnown.somePortals": "At other portals that you opened in this browser, until you sign out there",
  "staysKnown.do": "On a computer that others use, sign out there too and close the browser.",
  "signedOut.next": "The next sign-in in this browser asks which account to use.",
} as const;
