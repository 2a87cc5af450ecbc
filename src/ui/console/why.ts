/** Why was this denied? A person, a portal, and what each rule says. */

import { bdi, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
import { organizationUrl, personUrl } from "./directory.ts";
import { headed, renderConsole, sectionUrl } from "./frame.ts";
import { clientName } from "./names.ts";
import { badge, type Tone } from "./parts.ts";
import type { ConsoleFrame, ProfileView, SimulationView } from "./views.ts";

export interface WhyPage {
  /** What was typed to find a person. */
  search: string;
  found: ProfileView[];
  /** The person asked about. */
  profile: ProfileView | null;
  clientId: string;
  result: SimulationView | null;
  fault: string | null;
}

const tones: Record<string, Tone> = {
  passed: "good",
  failed: "bad",
  not_needed: "quiet",
  not_reached: "quiet",
};

export function why(site: Site, frame: ConsoleFrame, view: WhyPage): string {
  const t = messages(site.locale);
  const heading = t.text("admin.why.title");
  const url = sectionUrl(site, "why");
  return renderConsole(site, frame, {
    section: "why",
    heading,
    error: view.fault !== null,
    body: html`${headed(heading)}
<p class="lead">${t.text("admin.why.lead")}</p>
${view.fault !== null && html`<div class="problem" role="alert" tabindex="-1" data-focus><h2>${t.text("common.errorSummary")}</h2><p>${view.fault}</p></div>`}
${view.profile === null ? choosePerson(site, url, view) : askPortal(site, url, view.profile, view)}
${view.result && answer(site, view.result, view.clientId)}`,
  });
}

function choosePerson(site: Site, url: string, { search, found, clientId }: WhyPage): Html {
  const t = messages(site.locale);
  const query = (id: string) =>
    `?${new URLSearchParams({ profile_id: id, ...(clientId === "" ? {} : { client_id: clientId }) })}`;
  return html`<form class="console-search" role="search" method="get" action="${url}"><label for="q">${t.text("admin.why.person")}</label>
<div><input class="input" id="q" name="q" type="search" autocomplete="off" spellcheck="false" value="${search}"><button class="button button-secondary" type="submit">${t.text("admin.search")}</button></div></form>
${
  search !== "" &&
  (found.length === 0
    ? html`<p class="console-empty">${t.text("admin.nothingFound")}</p>`
    : html`<ul class="ways">${found.map((one) => html`<li><a href="${url}${query(one.id)}">${bdi(one.name)}, ${bdi(one.organization.name)} (${bdi(one.email)})</a></li>`)}</ul>`)
}`;
}

function askPortal(site: Site, url: string, profile: ProfileView, { clientId }: WhyPage): Html {
  const t = messages(site.locale);
  return html`<p>${t.html("admin.why.about", { profile: html`<a href="${personUrl(site, profile.id)}">${bdi(profile.name)}</a>`, organization: html`<a href="${organizationUrl(site, profile.organization.id)}">${bdi(profile.organization.name)}</a>` })} <a href="${url}">${t.text("admin.why.somebodyElse")}</a></p>
<form class="console-search" method="get" action="${url}"><input type="hidden" name="profile_id" value="${profile.id}"><label for="client_id">${t.text("admin.portal")}</label>
<div><select class="input" id="client_id" name="client_id">${site.portals.map(({ id, name }) => html`<option value="${id}"${id === clientId && html` selected`}>${name}</option>`)}</select>
<button class="button button-primary" type="submit">${t.text("admin.why.ask")}</button></div></form>`;
}

function answer(site: Site, { outcome, profiles }: SimulationView, clientId: string): Html {
  const t = messages(site.locale);
  const portal = clientName(site, clientId);
  const isIn = outcome === "admitted" || outcome === "choose";
  return html`<section class="answer answer-${isIn ? "good" : "bad"}" aria-labelledby="answer"><h2 id="answer">${t.text(`admin.why.${outcome}`, { portal })}</h2>
<p>${t.text(`admin.why.${outcome}.text`)}</p></section>
${profiles.map(
  ({
    profile,
    admitted,
    rules,
  }) => html`<section class="judged"><h3><a href="${personUrl(site, profile.id)}">${bdi(profile.name)}</a>, ${bdi(profile.organization.name)} ${badge(admitted ? "good" : "bad", t.text(admitted ? "admin.why.in" : "admin.why.out"))}</h3>
<ul class="rules">${rules.map(
    ({
      rule,
      verdict,
      fix,
    }) => html`<li><span class="rule-name">${t.text(`admin.rule.${rule}`)}</span> ${badge(tones[verdict] ?? "quiet", t.text(`admin.verdict.${verdict}`))}
${fix !== null && html`<span class="rule-fix">${fix}</span>`}</li>`,
  )}</ul></section>`,
)}`;
}
