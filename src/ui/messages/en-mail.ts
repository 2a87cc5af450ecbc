/** English: the mails. Subjects and paragraphs; no markup. */
export const mail = {
  "mail.hello": "Hello {profile},",
  "mail.account": "{who} at {upstream}",
  "mail.accountNamed": "{name} ({email}) at {upstream}",
  "mail.accountNameless": "an account at {upstream}",
  "mail.unknownUpstream": "a sign-in provider",
  "mail.footer":
    "{site} sends this because your organization registered this email address. It never asks for your password by email.",
  "mail.contact": "Questions? Write to {contact}.",
  "mail.contactPhone": "Or phone {number}.",
  "mail.contactPage": "Or use our contact page: {url}",

  "mail.code": "Code of the request",
  "mail.codeText":
    "The page on which you asked shows the same code. If it doesn't, or you didn't ask, someone else did.",

  "mail.support.subject": "{reference}: someone doesn't know their registered address",
  "mail.support.hello": "Hello,",
  "mail.support.asked":
    "Someone signed in as {account} doesn't know which address is registered for them, and writes from {portal}. None of this has been checked:",
  "mail.support.name": "Name",
  "mail.support.organization": "Organization",
  "mail.support.accountNumber": "Account number",
  "mail.support.message": "Message",
  "mail.support.none": "none given",
  "mail.support.do":
    "Tell them the registered address only if you are sure that the profile is theirs, or register another one. A reply to this mail goes to the address of their account, where it has one.",
  "mail.support.footer": "{site} sends this for a person on its pages. Reference {reference}.",

  "mail.link.subject": "Link your account to {organization}",
  "mail.link.asked":
    "Someone signed in as {account} asked to link that account to your profile {profile} at {organization}.",
  "mail.link.if": "Was it you? Open this link and sign in with the same account:",
  "mail.link.button": "Open the link",
  "mail.link.copy": "Or copy this address into your browser:",
  "mail.link.until": "The link works once, until {date}.",
  "mail.link.untilFor": "The link works once, for {lifetime}: until {date}.",
  "mail.link.short": "The link works once, and for a short time only.",
  "mail.link.each": "If you have several profiles, you get one email for each.",
  "mail.link.notYou":
    "You didn't ask for this? Don't open the link. Nothing is linked without it. If it worries you, write to {contact}.",

  "mail.collected.subject":
    "{count, plural, one {# request} other {# requests}} to link an account to your profile",
  "mail.collected.hello": "Hello,",
  "mail.collected.asked":
    "{count, plural, one {# request waits} other {# requests wait}} to link an account to a profile that has this email address. There were so many within a short time that we send them together, in one email.",
  "mail.collected.find":
    "Did you ask? Find your request by its code: the page on which you asked shows the same code. Open only the link under it, and sign in with the same account. The other links are for other people's requests.",
  "mail.collected.none":
    "Is none of the codes yours? Then other people asked. Yours comes in an email of its own, or in the next of these.",
  "mail.collected.short": "Each link works once, and for a short time only.",
  "mail.collected.until": "Each link works once, until {date}.",
  "mail.collected.untilFor": "Each link works once, for {lifetime}: until {date}.",
  "mail.collected.code": "Code",
  "mail.collected.account": "Asked by",
  "mail.collected.profile": "Profile",
  "mail.collected.profileAt": "{profile} at {organization}",
  "mail.collected.open": "Open the link of {code}",
  "mail.collected.already":
    "The profile is already linked to that account. There is nothing to do: just sign in.",
  "mail.collected.elsewhere":
    "The profile is already linked to another account. To move it, write to {contact}.",
  "mail.collected.inactive":
    "The profile or its organization is not active. To have it switched on again, write to {contact}.",
  "mail.collected.notYou":
    "You didn't ask for any of this? Don't open the links. Nothing is linked without them. If it worries you, write to {contact}.",

  "mail.already.subject": "Your account is already linked to {organization}",
  "mail.already.asked":
    "Someone signed in as {account} asked to link that account to your profile {profile} at {organization}.",
  "mail.already.why": "It is already linked to that account. There is nothing to do: just sign in.",
  "mail.already.notYou": "You don't know that account? Write to {contact}.",

  "mail.elsewhere.subject": "Someone asked to link your profile at {organization}",
  "mail.elsewhere.asked":
    "Someone signed in as {account} asked to link that account to your profile {profile} at {organization}.",
  "mail.elsewhere.why": "The profile is already linked to another account, so nothing has been changed.",
  "mail.elsewhere.you":
    "Was it you? Sign in with the account you used before. To move the profile to another account, write to {contact}. Give your name and your organization's account number.",
  "mail.elsewhere.notYou":
    "Was it someone else? There is nothing you must do. If it worries you, write to {contact}.",

  "mail.inactive.subject": "Your profile at {organization} is not active",
  "mail.inactive.asked":
    "Someone signed in as {account} asked to link that account to your profile {profile} at {organization}.",
  "mail.inactive.why": "The profile or its organization is not active, so it can't be linked.",
  "mail.inactive.do":
    "To have it switched on again, write to {contact}. Give your name and your organization's account number.",

  "mail.notice.subject": "Your profile at {organization} has been linked",
  "mail.notice.what": "Your profile {profile} at {organization} was linked to {account} on {date}.",
  "mail.notice.means":
    "Whoever signs in with that account can now use the profile. If it was you, there is nothing to do.",
  "mail.notice.notYou": "If it wasn't you, write to {contact} at once, so that we can undo it.",

  "mail.invitation.subject": "You are an administrator of {site}",
  "mail.invitation.what":
    "Your profile {profile} at {organization} now has an administrator role. Open this address to look after portals, organizations and people:",
  "mail.invitation.button": "Open the administration",
  "mail.invitation.first":
    "The first time, sign in with an account of your own. You are then asked for the email address registered with your organization: it is the one that this mail came to. A second mail brings a link; open it and sign in once more with the same account.",
  "mail.invitation.until":
    "Link your profile before {date}. After that the invitation lapses, and an owner of the service must invite you again.",
  "mail.invitation.notYou":
    "You don't know what this is about? There is nothing you must do. Write to {contact}.",

  "mail.administratorLinked.subject": "The administrator {profile} of {site} has linked an account",
  "mail.administratorLinked.what":
    "The profile {profile} at {organization} was linked to {account} on {date}. Its administrator role is: {role}.",
  "mail.administratorLinked.means":
    "Whoever signs in with that account can now open the administration of {site}. You are told because you are one of its owners. If you expected this, there is nothing to do.",
  "mail.administratorLinked.not":
    "Is something wrong? Take the role away at once: that ends what was opened, too.",
  "mail.administratorLinked.button": "Open the list of administrators",
  "mail.administratorLinked.contact": "If you can't open it, write to {contact}.",

  "mail.addressAdded.subject": "This address was registered for your profile at {organization}",
  "mail.addressAdded.what":
    "The email address of your profile {profile} at {organization} was changed to this one. Mail about the profile comes here from now on. The account that you sign in with stays the same.",
  "mail.addressAdded.notYou": "Is that wrong? Write to {contact}.",
  "mail.addressRemoved.subject": "The address of your profile at {organization} was changed",
  "mail.addressRemoved.what":
    "Another email address was registered for your profile {profile} at {organization}. Mail about the profile no longer comes here, and links that were mailed here before no longer work.",
  "mail.addressRemoved.notYou": "Is that wrong? Write to {contact} at once.",
} as const;
