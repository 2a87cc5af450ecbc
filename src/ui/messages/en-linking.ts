/** English: linking an account to a profile by mail. */
export const linking = {
  "linkStep.title": "Enter the email address registered with your organization",
  "linkStep.lead":
    "This tells us which organization you belong to, so that you can use {portal}. We'll send an email to that address. Open the link in it.",
  "linkStep.leadNoPortal":
    "This tells us which organization you belong to. We'll send an email to that address. Open the link in it.",
  "linkStep.hint": "This may differ from the one you just signed in with.",
  "linkStep.submit": "Continue",
  "linkStep.tooSoon":
    "Your last request was only just made. Nothing was sent for this one, and what you typed is still here.",
  "linkStep.help": "I don't know my registered email address",
  "linkStep.helpText": "Write to {contact} and give:",
  "linkStep.helpName": "your name",
  "linkStep.helpNumber": "your organization's account number",
  "linkStep.helpForm": "Or <link>send the message from here</link>.",
  "linkStep.helpAfter":
    "They can tell you which address is registered, or change it. Then come back and enter it here.",
  "linkStep.mailSubject": "I don't know my registered email address",
  "linkStep.mailBody":
    "Hello,\n\nI want to sign in, but I don't know which email address is registered for me.\n\nMy name:\nMy organization:\nIts account number:\n\nI signed in as {who} at {upstream}.",

  "support.title": "Ask which address is registered",
  "support.lead":
    "Your message goes to the people who look after the portals. They answer at the address of the account you signed in with, or at the one your organization registered.",
  "support.instead": "You can write to {contact} as well.",
  "support.name": "Your name",
  "support.name.hint": "As your organization knows you.",
  "support.organization": "Your organization",
  "support.organization.hint": "The company or institution you belong to.",
  "support.account_number": "Its account number (optional)",
  "support.account_number.hint": "It is on invoices and in letters. With it they find you faster.",
  "support.message": "Message (optional)",
  "support.message.hint": "Anything else that helps. Never a password.",
  "support.submit": "Send",
  "support.back": "Back to entering an address",
  "support.full": "You've sent several messages already. You can send the next after {date}.",
  "support.fullHere": "We can't take another message from here for now. Write an email instead.",
  "support.sentTitle": "We've got your message",
  "support.sentLead": "Somebody will read it and answer.",
  "support.reference": "Its reference is {reference}. Name it if you write about it again.",
  "support.sentNext": "Once you know the address, come back to the portal, sign in, and enter it here.",

  "checkEmail.title": "Check your email",
  "checkEmail.lead":
    "If the address you entered is registered with an organization, we're sending an email to it. It can take a minute or two.",
  "checkEmail.leadHeld":
    "If the address you entered is registered with an organization, we'll send an email to it.",
  "checkEmail.held":
    "You've asked many times within a short while, so this request waits its turn, until {date}. You don't need to do anything.",
  "checkEmail.lookedAtBy":
    "You've asked more than once within a short while, so this request may wait its turn: until {date} at the latest. You don't need to do anything.",
  "checkEmail.open": "Open the link in it, on this device or another one, and sign in again there.",
  "checkEmail.address": "You entered",
  "checkEmail.code": "Code",
  "checkEmail.codeText":
    "{code}. The email shows the same code. If it shows another one, someone else asked for it: don't open its link.",
  "checkEmail.sender": "Comes from",
  "checkEmail.lifetime": "Link works for",
  "checkEmail.count": "How many",
  "checkEmail.countText": "One email for each matching profile. Open each one that you want to link.",
  "checkEmail.opened": "I've opened the link – continue",
  "checkEmail.waiting": "Waiting for you to open the link. Keep this page: it carries on by itself.",
  "checkEmail.waitingDeclined": "Still waiting, in case you open another link or ask for a new one.",
  "checkEmail.declinedTitle": "The link was declined",
  "checkEmail.declinedText":
    "Nothing has been linked by it, and it no longer works. Was it a mistake? Ask for a new email below.",
  "checkEmail.going": "Your account is linked. Going on…",
  "checkEmail.pollLinked": "Linked so far: {profiles}. Still waiting for a profile that opens this portal.",
  "checkEmail.linkedTitle":
    "{count, plural, one {A profile has been linked} other {# profiles have been linked}}",
  "checkEmail.linkedText":
    "{count, plural, one {But it doesn't open {portal}. Open another of the emails, or use another address.} other {But they don't open {portal}. Open another of the emails, or use another address.}}",
  "checkEmail.linkedTextNoPortal": "Open another of the emails, or use another address.",
  "checkEmail.whyNot":
    "{count, plural, one {Why doesn't it open {portal}?} other {Why don't they open {portal}?}}",
  "checkEmail.trouble": "Declined, changed your mind, no mail?",
  "checkEmail.changedMind":
    "Declined by mistake, or changed your mind since? Ask for a new email below, and open the link in that one.",
  "checkEmail.dropIt":
    "Don't want to link any more? Close this page. Nothing is linked unless you open the link.",
  "checkEmail.spam": "No email after a few minutes? Look in your spam or junk folder.",
  "checkEmail.busy":
    "When many people ask for one address, their requests come together in one email: look for your code in it. It can take up to two hours, and asking again doesn't lose your place.",
  "checkEmail.other": "The address may not be the registered one: <link>use another address</link>.",
  "checkEmail.ask":
    "Still nothing? Write to {contact}. Give your name and your organization's account number.",
  "checkEmail.again": "Send it again",
  "checkEmail.wait": "You can ask again in {wait}.",
  "checkEmail.now": "You can ask again now.",
  "checkEmail.tooSoon": "Wait a little before you ask again",

  "landing.title": "Do you want to link this account?",
  "landing.lead":
    "Someone asked for this account to be linked to this profile. Once linked, whoever signs in with the account can use the profile.",
  "landing.account": "Account",
  "landing.profile": "Profile",
  "landing.code":
    "Code of the request: {code}. Compare it with the one on the page on which you asked. If it is another, someone else asked: don't continue.",
  "landing.signInWith":
    "To link them, sign in as {who} at {upstream}. We ask for this even if you are signed in already.",
  "landing.until": "You can do this until {date}.",
  "landing.confirm": "Continue to sign in",
  "landing.decline": "Don't link",
  "landing.both":
    "Both buttons ask you to sign in first, so that nobody who merely sees this link can decide for you.",
  "landing.cancelled": "Nothing has been decided",
  "landing.cancelledText":
    "The sign-in at {upstream} was cancelled, or your account wasn't let in there. Nothing has changed, and the link in the mail still works. Try again below.",
  "landing.back": "Don't want to go on? You can go back to {portal} without signing in.",
  "landing.notYou": "You didn't ask for this?",
  "landing.notYouText":
    "Don't continue. Choose \"Don't link\", or close this page: nothing is linked without you, and the link stops working by itself.",
  "landing.notYouTell": "If it worries you, write to {contact}.",

  "wrongAccount.title": "This link is for another account",
  "wrongAccount.lead":
    "You signed in with another account than the one this link is for. Nothing has been linked, and the link still works.",
  "wrongAccount.asked": "The link is for",
  "wrongAccount.used": "You signed in as",
  "wrongAccount.at": "at {upstream}",
  "wrongAccount.do":
    "Sign in again as {who} at {upstream}. Then {profile} at {organization} is linked to it.",
  "wrongAccount.retry": "Sign in with the other account",
  "wrongAccount.notYours":
    "You don't know {who}? Then somebody else asked for this link. Don't go on, close this page, and write to {contact}.",
  "wrongAccount.wanted":
    "Do you want to link the account you just used? Go back to the portal, sign in with it there, and ask for a new email.",

  "linked.title": "Your account is linked",
  "linked.lead": "From now on, signing in with this account lets you use this profile.",
  "linked.opens": "{count, plural, one {It opens this portal:} other {It opens these # portals:}}",
  "linked.opensNothing":
    "It doesn't open a portal at the moment. Write to {contact} to ask why. Give your organization's account number.",
  "linked.waiting":
    "Is another tab or device still waiting? It carries on by itself, and you can close this page.",
  "linked.more": "Did you get more than one email? Each further link adds one more profile.",

  "linkCancelled.title": "The link has been cancelled",
  "linkCancelled.lead":
    "Nothing has been linked. The account {who} at {upstream} was not connected to {profile} at {organization}, and the link no longer works.",
  "linkCancelled.yours":
    "Was it you, and you changed your mind? Go back to the portal, sign in, and ask for a new email.",
  "linkCancelled.notYours": "Was it someone else? Write to {contact} and say who asked.",
} as const;
