/** Why was this denied? A person, a portal, and what each rule says. */

import { bdi, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
import { badge, faultNotice, plainInput, type Tone } from "./components.ts";
import { organizationUrl, personUrl } from "./directory.ts";
import { headed, renderConsole, sectionUrl } from "./frame.ts";
import { clientName } from "./names.ts";

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
${view.fault !== null && faultNotice(site, view.fault)}
${view.profile === null ? choosePerson(site, url, view) : askPortal(site, url, view.profile, view)}
${view.result && answer(site, view.result, view.clientId)}`,
  });
}

function choosePerson(site: Site, url: string, { search, found, clientId }: WhyPage): Html {
  const t = messages(site.locale);
  const query = (id: string) =>
    `?${new URLSearchParams({ profile_id: id, ...(clientId === "" ? {} : { client_id: clientId }) })}`;
  const label = html`<label for="q">${t.text("admin.why.person")}</label>`;
  const text = t.text("admin.search");
  const button = html`<button class="button button-secondary" type="submit">${text}</button>`;
  const choice = ({ id, name, organization, email }: ProfileView) => {
    const text = html`${bdi(name)}, ${bdi(organization.name)} (${bdi(email)})`;
    return html`<li><a href="${url}${query(id)}">${text}</a></li>`;
  };
  return html`<form class="console-search" role="search" method="get" action="${url}">${label}
<div>${plainInput("q", "search", search)}${button}</div></form>
${
  search !== "" &&
  (found.length === 0
    ? html`<p class="console-empty">${t.text("admin.nothingFound")}</p>`
    : html`<ul class="ways">${found.map(choice)}</ul>`)
}`;
}

function askPortal(site: Site, url: string, profile: ProfileView, { clientId }: WhyPage): Html {
  const t = messages(site.locale);
  const { id, name, organization } = profile;
  const about = t.html("admin.why.about", {
    profile: html`<a href="${personUrl(site, id)}">${bdi(name)}</a>`,
    organization: html`<a href="${organizationUrl(site, organization.id)}">${bdi(organization.name)}</a>`,
  });
  const hidden = html`<input type="hidden" name="profile_id" value="${id}">`;
  const label = html`<label for="client_id">${t.text("admin.portal")}</label>`;
  const options = site.portals.map(
    (portal) =>
      html`<option value="${portal.id}"${portal.id === clientId && html` selected`}>${portal.name}</option>`,
  );
  return html`<p>${about} <a href="${url}">${t.text("admin.why.somebodyElse")}</a></p>
<form class="console-search" method="get" action="${url}">${hidden}${label}
<div><select class="input" id="client_id" name="client_id">${options}</select>
<button class="button button-primary" type="submit">${t.text("admin.why.ask")}</button></div></form>`;
}

function answer(site: Site, { outcome, profiles }: SimulationView, clientId: string): Html {
  const t = messages(site.locale);
  const portal = clientName(site, clientId);
  const isIn = outcome === "admitted" || outcome === "choose";
  const title = html`<h2 id="answer">${t.text(`admin.why.${outcome}`, { portal })}</h2>`;
  return html`<section class="answer answer-${isIn ? "good" : "bad"}" aria-labelledby="answer">${title}
<p>${t.text(`admin.why.${outcome}.text`)}</p></section>
${profiles.map((one) => judged(site, one))}`;
}

/** One of the person's profiles, with what each rule says of it. */
function judged(site: Site, { profile, admitted, rules }: SimulationView["profiles"][number]): Html {
  const t = messages(site.locale);
  const name = html`<a href="${personUrl(site, profile.id)}">${bdi(profile.name)}</a>`;
  const word = admitted ? badge("good", t.text("admin.why.in")) : badge("bad", t.text("admin.why.out"));
  const lines = rules.map(({ rule, verdict, fix }) => {
    const ruleName = html`<span class="rule-name">${t.text(`admin.rule.${rule}`)}</span>`;
    return html`<li>${ruleName} ${badge(tones[verdict] ?? "quiet", t.text(`admin.verdict.${verdict}`))}
${fix !== null && html`<span class="rule-fix">${fix}</span>`}</li>`;
  });
  return html`<section class="judged"><h3>${name}, ${bdi(profile.organization.name)} ${word}</h3>
<ul class="rules">${lines}</ul></section>`;
}
