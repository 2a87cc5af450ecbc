/** The whole journey on one printable page, in the deployment's own names. */

import { alternatives, contactInline, upstreamSupport, webLink } from "../components.ts";
import { formatMinutes } from "../format.ts";
import { bdi, type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { HelpPage, Site } from "../views.ts";

const steps = [1, 2, 3, 4, 5, 6] as const;
const questions = [1, 2, 3, 4, 5, 6, 7] as const;

export function help(site: Site, view: HelpPage): string {
  const t = messages(site.locale);
  const heading = t.text("help.title");
  const values = {
    site: site.name,
    upstreams: alternatives(
      site,
      site.upstreams.map(({ name }) => bdi(name)),
    ),
    sender: html`<strong>${bdi(view.senderAddress)}</strong>`,
    lifetime: formatMinutes(site.locale, view.linkLifetimeMinutes),
    contact: contactInline(site),
  };
  const stepText = (step: (typeof steps)[number]) =>
    html`<li><h3>${t.text(`help.step${step}`)}</h3><p>${t.html(`help.step${step}Text`, values)}</p></li>`;
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.html("help.lead", values)}</p>
${words(site, values.upstreams)}
<h2>${t.text("help.first")}</h2>
<ol class="steps">
${steps.map(stepText)}
</ol>
<h2>${t.text("help.next")}</h2>
<p>${t.text("help.nextText")}</p>
<h2>${t.text("help.trouble")}</h2>
${questions.map(
  (question) => html`<section class="question"><h3>${t.text(`help.q${question}`)}</h3>
<p>${t.html(`help.a${question}`, values)}</p>
${question === 6 && accountPlaces(site)}</section>`,
)}
<h2>${t.text("help.contact")}</h2>
<p>${t.html("help.contactText", values)}</p>`;
  return renderPage(site, { heading, wide: true, body });
}

function words(site: Site, upstreams: Html): Html {
  const t = messages(site.locale);
  const portals = site.portals.map(({ homeUrl, name }) => webLink(homeUrl, bdi(name)));
  return html`<h2>${t.text("help.words")}</h2>
<dl class="facts-list">
<div><dt>${t.text("help.wordAccount")}</dt><dd>${t.html("help.wordAccountText", { upstreams })}</dd></div>
<div><dt>${t.text("help.wordProfile")}</dt><dd>${t.text("help.wordProfileText")}</dd></div>
<div><dt>${t.text("help.wordPortal")}</dt><dd>${
    portals.length === 0
      ? t.text("help.wordPortalTextNone")
      : t.html("help.wordPortalText", { portals: alternatives(site, portals) })
  }</dd></div>
</dl>`;
}

/** Where each upstream helps with its own accounts. */
function accountPlaces(site: Site): Html {
  const t = messages(site.locale);
  return html`<ul>
${site.upstreams.map((upstream) => {
  const links = [
    { url: upstream.forgotPasswordUrl, label: t.text("help.upstreamForgot") },
    { url: upstream.createAccountUrl, label: t.text("help.upstreamCreate") },
    { url: upstream.aboutUrl, label: t.text("help.upstreamAbout") },
  ].flatMap(({ url, label }) => (url === null ? [] : [webLink(url, label)]));
  const support = upstreamSupport(site, upstream);
  const all = support === null ? links : [...links, support];
  const places = all.length > 0 && html`: ${alternatives(site, all, "conjunction")}`;
  return html`<li>${bdi(upstream.name)}${places}</li>`;
})}
</ul>`;
}
