/** Choose the account to sign in with: one button for each upstream. */

import { alternatives, backToPortal, contactInline, csrfInput, webLink } from "../components.ts";
import { bdi, type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { SignInPage, Site, UpstreamView } from "../views.ts";

export function signIn(site: Site, view: SignInPage): string {
  const t = messages(site.locale);
  const heading =
    view.portal === null
      ? t.text("signIn.title")
      : t.text("signIn.titlePortal", { portal: view.portal.name });
  const [first] = site.upstreams;
  const only = site.upstreams.length === 1 ? first : undefined;
  const lead = only === undefined ? t.text("signIn.lead") : t.html("signIn.leadOne", { upstream: only.name });
  const body = html`${signedOut(site, view)}${notice(site, view)}${insufficient(site, view)}
<h1>${view.portal === null ? heading : t.html("signIn.titlePortal", { portal: view.portal.name })}</h1>
<p class="lead">${lead}</p>
<form class="upstreams" method="post" action="${view.form.action}">
${csrfInput(view.form.csrfToken)}
${site.upstreams.map((upstream) => choice(site, upstream, only !== undefined))}
</form>
<p class="aside">${t.text("signIn.firstTime")}</p>
${back(site, view)}`;
  return renderPage(site, { heading, error: view.notice === "failed", body });
}

function choice(site: Site, upstream: UpstreamView, only: boolean): Html {
  const t = messages(site.locale);
  const which = html`<span class="unseen">${t.html("signIn.at", { upstream: upstream.name })}</span>`;
  const links = [
    { url: upstream.createAccountUrl, label: html`${t.text("signIn.createAccount")} ${which}` },
    { url: upstream.forgotPasswordUrl, label: html`${t.text("signIn.forgotPassword")} ${which}` },
    { url: upstream.aboutUrl, label: t.html("signIn.about", { upstream: upstream.name }) },
  ].flatMap(({ url, label }) => (url === null ? [] : [html`<li>${webLink(url, label)}</li>`]));
  const attributes = html`type="submit" name="upstream" value="${upstream.id}"`;
  const text = t.html("signIn.continueWith", { upstream: upstream.name });
  return html`<div class="upstream">
<button class="button button-wide button-${only ? "primary" : "secondary"}" ${attributes}>${text}</button>
${links.length > 0 && html`<ul class="inline">${links}</ul>`}
</div>`;
}

function notice(site: Site, view: SignInPage): Html | null {
  const t = messages(site.locale);
  if (view.notice !== "failed" && view.notice !== "cancelled") return null;
  const failed = view.notice === "failed";
  const text = failed
    ? t.html("signIn.failedText", { contact: contactInline(site) })
    : t.text("signIn.cancelledText");
  return html`<div class="${failed ? "problem" : "notice"}" role="alert" tabindex="-1" data-focus>
<h2>${t.text(failed ? "signIn.failed" : "signIn.cancelled")}</h2>
<p>${text}</p>
</div>`;
}

/** For whoever is next in a browser where somebody signed out: no alert, since nothing happened to them. */
function signedOut(site: Site, { notice }: SignInPage): Html | null {
  if (notice !== "signed_out") return null;
  const t = messages(site.locale);
  return html`<div class="notice">
<h2>${t.text("signIn.signedOut")}</h2>
<p>${t.text("signIn.signedOutText")}</p>
</div>`;
}

/** For who came back without having signed in. */
function back(site: Site, { notice, portal, back: form }: SignInPage): Html | null {
  if (notice === null || notice === "signed_out" || portal === null) return null;
  return html`<p>${messages(site.locale).html("signIn.back", { portal: portal.name })}</p>
${backToPortal(site, portal, form)}`;
}

/** Why the sign-in that there is doesn't do, what would, and whom to ask. */
function insufficient(site: Site, { insufficient: demand }: SignInPage): Html | null {
  if (demand === null) return null;
  const t = messages(site.locale);
  const names = alternatives(
    site,
    site.upstreams.map(({ name }) => bdi(name)),
  );
  const code = (value: string) => html`<code>${value}</code>`;
  const says = [
    ...(demand.acr.length === 0 ? [] : [html`<code>acr</code>: ${alternatives(site, demand.acr.map(code))}`]),
    ...(demand.amr.length === 0
      ? []
      : [html`<code>amr</code>: ${alternatives(site, demand.amr.map(code), "conjunction")}`]),
  ];
  const proof = says.length > 0 && html` ${t.text("signIn.insufficientProof")}`;
  const said = html`${t.text("signIn.insufficientSays")} ${alternatives(site, says, "conjunction")}`;
  return html`<div class="problem" role="alert" tabindex="-1" data-focus>
<h2>${t.text("signIn.insufficient")}</h2>
<p>${t.html("signIn.insufficientWhy", { upstreams: names })}${proof}</p>
<p>${t.html("signIn.insufficientDo", { contact: contactInline(site) })}</p>
${says.length > 0 && html`<p class="small">${said}.</p>`}
</div>`;
}
