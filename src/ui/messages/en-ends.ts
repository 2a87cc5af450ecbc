/** English: dead ends. Each says why, what to do and whom to write to. */
export const ends = {
  "linkDead.subject": "It was for {profile} at {organization}.",
  "linkDead.used.title": "This link has already been used",
  "linkDead.used.why": "Each link works once. The account it was for has been linked.",
  "linkDead.used.do": "Go to the portal and sign in with that account.",
  "linkDead.cancelled.title": "This link has been cancelled",
  "linkDead.cancelled.why": 'Someone chose "Don\'t link". Nothing has been linked.',
  "linkDead.cancelled.do":
    "Do you want to link after all? Go to the portal, sign in, and ask for a new email.",
  "linkDead.superseded.title": "A newer email replaces this link",
  "linkDead.superseded.why": "You asked again, and only the link in the newest email works.",
  "linkDead.superseded.do":
    "Open the newest email about this profile. If it isn't there, go to the portal, sign in, and ask again.",
  "linkDead.expired.title": "This link has expired",
  "linkDead.expired.why": "A link works for a short time only, so that an old email can't be misused.",
  "linkDead.expired.do": "Go to the portal, sign in, and ask for a new email.",
  "linkDead.email_changed.title": "This link no longer works",
  "linkDead.email_changed.why":
    "The email address registered for this profile has changed since the email was sent.",
  "linkDead.email_changed.do": "Go to the portal, sign in, and enter the address that is registered now.",
  "linkDead.not_active.title": "This profile is not active",
  "linkDead.not_active.why":
    "The profile or its organization has been switched off since the email was sent.",
  "linkDead.not_active.do":
    "Ask for it to be switched on again. Then go to the portal, sign in, and ask for a new email.",
  "linkDead.bound_to_you.title": "This profile is linked to your account already",
  "linkDead.bound_to_you.why": "There is nothing left to do here.",
  "linkDead.bound_to_you.do": "Go to the portal and sign in with the account you just used.",
  "linkDead.bound_elsewhere.title": "This profile is linked to another account",
  "linkDead.bound_elsewhere.why":
    "A profile belongs to one account at a time. Nobody else can take it over by a link.",
  "linkDead.bound_elsewhere.do":
    "Do you have another account that you used before? Sign in with that one. If not, ask for the profile to be freed. Give your name and your organization's account number.",
  "linkDead.unknown.title": "This link doesn't work",
  "linkDead.unknown.why": "We don't know it. Part of it may be missing, or it is too old.",
  "linkDead.unknown.do":
    "Open the link in the email again, or copy all of it into the address bar. If that fails, go to the portal, sign in, and ask for a new email.",
  "linkDead.cookie_missing.title": "Open the link in the email again",
  "linkDead.cookie_missing.why":
    "This page only works right after the link was opened, in the same browser, and with cookies allowed.",
  "linkDead.cookie_missing.do":
    "Open the link in the email once more. If you see this page again, allow cookies for this site or use another browser.",

  "upstreamProblem.nameless": "your account's provider",
  "upstreamProblem.unavailable.title": "{upstream} can't be reached",
  "upstreamProblem.unavailable.why":
    "We couldn't connect to {upstream}. Your account and your profiles are fine.",
  "upstreamProblem.unavailable.do": "Wait a minute and try again.",
  "upstreamProblem.unavailable.doNoRetry": "Wait a minute, then start again at the portal.",
  "upstreamProblem.refused.title": "{upstream} didn't sign you in",
  "upstreamProblem.refused.why": "The sign-in was cancelled or refused there. Nothing has been changed.",
  "upstreamProblem.refused.do": "Try again. If it fails again, check at {upstream} that your account works.",
  "upstreamProblem.refused.doNoRetry":
    "Start again at the portal. If it fails again, check at {upstream} that your account works.",
  "upstreamProblem.rejected.title": "We couldn't use the answer of {upstream}",
  "upstreamProblem.rejected.why":
    "The answer was an error, or something we can't trust. To protect you, we stopped. Nothing has been changed.",
  "upstreamProblem.rejected.do": "Try again. If it fails again, write to us with the reference below.",
  "upstreamProblem.rejected.doNoRetry":
    "Start again at the portal. If it fails again, write to us with the reference below.",
  "upstreamProblem.stale.title": "{upstream} didn't ask you to sign in again",
  "upstreamProblem.stale.why":
    "This step needs a fresh sign-in. {upstream} used an older one, or refused to make a new one. Nothing has been changed.",
  "upstreamProblem.stale.do":
    "Sign out at {upstream}, then try again and enter your password there. If it fails again, write to us with the reference below.",
  "upstreamProblem.stale.doNoRetry":
    "Sign out at {upstream}. Then start again at the portal, and enter your password at {upstream}. If it fails again, write to us with the reference below.",
  "upstreamProblem.retry": "Try again",

  "signInLost.expired.title": "This sign-in has expired",
  "signInLost.expired.why":
    "It was open for too long, you came here by a bookmark, or someone signed in or out in this browser since. Nothing has been changed.",
  "signInLost.expired.do": "Start again. Don't bookmark a sign-in page: bookmark the portal.",
  "signInLost.cookies_blocked.title": "Your browser didn't keep our cookie",
  "signInLost.cookies_blocked.why":
    "Signing in needs a cookie that lasts until you are done. Your browser blocked or removed it.",
  "signInLost.cookies_blocked.do":
    "Allow cookies for this site, or use another browser or a window that isn't private. Then start again.",
  "signInLost.other_browser.title": "This browser can't go on with this sign-in",
  "signInLost.other_browser.why":
    "It was begun in another browser or by someone else, or its cookie is no longer in this browser. To protect you, it stops here.",
  "signInLost.other_browser.do":
    "Start again here, or go on in the browser where you began. If you see this page again, allow cookies for this site.",
  "signInLost.already_finished.title": "This sign-in is over",
  "signInLost.already_finished.why":
    "It was finished before, or it is so old that we know nothing of it any more.",
  "signInLost.already_finished.do": "Go to the portal. If you aren't signed in there, sign in from there.",

  "error.bad_request.title": "We couldn't understand that request",
  "error.bad_request.why": "Something was missing or wrong in what the browser sent.",
  "error.bad_request.do": "Go back and try again, or start again at the portal.",
  "error.forbidden.title": "We stopped that request",
  "error.forbidden.why":
    "It didn't come from a page of ours, or that page was too old. Nothing has been changed.",
  "error.forbidden.do": "Go back, reload the page and try again.",
  "error.not_found.title": "Page not found",
  "error.not_found.why": "There is no page at this address.",
  "error.not_found.do": "Check the address, or start again at the portal.",
  "error.too_many.title": "Too many requests",
  "error.too_many.why": "A lot was asked from here in a short time, so we are slowing down.",
  "error.too_many.do": "Wait a few minutes and try again.",
  "error.too_many.doIn": "Wait {time} and try again.",
  "error.too_large.title": "Your browser sends too many cookies",
  "error.too_large.why":
    "What it sends along with each request has become too long for us to read. Websites under the same domain may have set the cookies.",
  "error.too_large.do":
    "Delete the cookies of this website in the settings of your browser, then start again at the portal. A private window works as well.",
  "error.too_slow.title": "That took too long",
  "error.too_slow.why": "What your browser was sending didn't arrive in time. Nothing has been changed.",
  "error.too_slow.do": "Check your connection, go back and try again.",
  "error.tryAgain": "Wait a minute and try again. If it happens again, write to us with the reference below.",
  "error.retry": "Try again",
  "error.unavailable.title": "We can't do that right now",
  "error.unavailable.why": "A part of this service isn't reachable at the moment. Nothing has been changed.",
  "error.unavailable.do": "Wait a minute, then reload this page.",
  "error.internal.title": "Sorry, something went wrong",
  "error.internal.why": "It's a fault of ours, and it has been recorded.",
  "error.internal.do": "Try again in a minute. If it happens again, write to us with the reference below.",
  "error.portal_mistake.title": "The portal's link to us is wrong",
  "error.portal_mistake.titleNamed": "The link from {portal} is wrong",
  "error.portal_mistake.why":
    "You were sent here with a request that we can't accept. You did nothing wrong.",
  "error.portal_mistake.do":
    "Start again at the portal. If it happens again, write to us with the reference below.",
  "error.code": "Error code",
} as const;
