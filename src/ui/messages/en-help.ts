/** English: the whole journey on one printable page. */
export const help = {
  "help.title": "How signing in works",
  "help.lead":
    "{site} connects an account you already have with your profile at your organization. You link them once. After that you just sign in.",
  "help.words": "Three words",
  "help.wordAccount": "Account",
  "help.wordAccountText":
    "What you sign in with, at {upstreams}. It's yours, and any email address can be used for it.",
  "help.wordProfile": "Profile",
  "help.wordProfileText":
    "Your record at your organization: name, roles, and the email address that the organization registered.",
  "help.wordPortal": "Portal",
  "help.wordPortalText": "Where you want to go: {portals}.",
  "help.wordPortalTextNone": "The web site where you want to go.",

  "help.first": "The first time",
  "help.step1": "Start at the portal",
  "help.step1Text": 'Choose "Sign in" there. You then come to {site}.',
  "help.step2": "Sign in with your account",
  "help.step2Text":
    "Continue with {upstreams}. No account yet? Create one there. You'll use this account every time.",
  "help.step3": "Enter your registered email address",
  "help.step3Text":
    "The one registered with your organization. It may differ from the one you signed in with.",
  "help.step4": "Check your email",
  "help.step4Text":
    "The email comes from {sender}. You get one for each matching profile. A link works for {lifetime} and once. Look in the spam folder too.",
  "help.step5": "Open the link and sign in again",
  "help.step5Text":
    "Use the same account as before. It can be on another device. Opening the link alone changes nothing.",
  "help.step6": "Go on",
  "help.step6Text": "The page that was waiting carries on by itself. With several profiles, you choose one.",
  "help.next": "The next time",
  "help.nextText": "Start at the portal and sign in with the same account. You go straight through.",

  "help.trouble": "When something doesn't work",
  "help.q1": "I don't know my registered email address",
  "help.a1": "Write to {contact}. Give your name and your organization's account number.",
  "help.q2": "No email comes",
  "help.a2":
    "Look in the spam folder for {sender}. Check the address you entered. We answer the same for every address, so no email may mean that it isn't registered.",
  "help.q3": "The link has expired or was used",
  "help.a3": "Go to the portal, sign in, and ask for a new email. Only the newest link works.",
  "help.q4": "I got an email that I didn't ask for",
  "help.a4": "Don't open its link. Nothing is linked without it. If it worries you, write to {contact}.",
  "help.q5": "I can't get into the portal",
  "help.a5":
    "The page says why for each profile: a service plan that ended, a missing role, or a portal for other organizations. Write to {contact} if it is wrong.",
  "help.q6": "I forgot the password of my account, or lost the account",
  "help.a6": "We don't keep passwords. Ask where you have the account:",
  "help.q7": "I want to use another account, or another profile",
  "help.a7":
    'Choose "Use another account" at the end of a page that says who is signed in. Choose "Switch profile" at the portal. To move a profile to another account, write to {contact}.',

  "help.upstreamAbout": "about",
  "help.upstreamCreate": "create an account",
  "help.upstreamForgot": "forgot password",
  "help.contact": "Write to us",
  "help.contactText": "For everything except the password of your own account, write to {contact}.",
} as const;
