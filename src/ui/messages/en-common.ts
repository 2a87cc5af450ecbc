/** English: what every page shares. */
export const common = {
  "common.title": "{heading} – {site}",
  "common.titleError": "Error: {heading} – {site}",
  "common.dateTime": "{date} at {time} ({zone})",
  "common.skip": "Skip to main content",
  "common.help": "Help",
  "common.footerLabel": "About this service",
  "common.signingInTo": "Signing in to {portal}",

  "common.signedInAs": "Signed in as {who} at {upstream}",
  "common.useAnother": "Use another account",
  "common.errorSummary": "There is a problem",
  "common.errorPrefix": "Error:",

  "common.whatToDo": "What you can do",
  "common.whomToAsk": "Who to write to",
  "common.writeTo": "Write to {contact}.",
  "common.writeToUpstream": "For help with your account at {upstream}: {contact}.",
  "common.contactPage": "Contact page",
  "common.contactAll": "{email}, use the <link>contact page</link> or phone {phone}",
  "common.contactOrPage": "{email} or use the <link>contact page</link>",
  "common.contactOrPhone": "{email} or phone {phone}",
  "common.supportOf": "support at {name}",
  "common.accountNumber": "Account number {number}",
  "common.kind.customer": "Customer",
  "common.kind.partner": "Partner",
  "common.kind.operator": "Operator",
  "common.reference": "Reference",

  "common.field.email_missing": "Enter the email address registered with your organization",
  "common.field.email_format": "Enter an email address in the correct format, like name@example.com",
  "common.field.profile_missing": "Choose a profile",

  "common.startAgain": "Start again at {portal}",
  "common.goTo": "Go to {portal}",
  "common.continueTo": "Continue to {portal}",
  "common.linkAnother": "Link another profile",
} as const;
