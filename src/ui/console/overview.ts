/** What happened lately, and what needs looking after. */

import { type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
import { bars, numbers, type Series } from "./chart.ts";
import { dayOf, isoTime } from "./components.ts";
import { headed, renderConsole } from "./frame.ts";
import { clientName } from "./names.ts";
import type { AttentionView, ConsoleFrame, MetricsView } from "./views.ts";

export interface OverviewPage {
  range: "24h" | "7d" | "30d";
  metrics: MetricsView;
  attention: AttentionView;
  /** Names of upstreams by id. */
  upstreams: ReadonlyMap<string, string>;
}

const groups = {
  signIns: ["sign_ins"],
  links: ["links_asked", "links_bound", "links_refused"],
  mails: ["mails_sent", "mails_deferred", "mails_failed", "mails_bounced"],
  upstreams: ["upstream_sign_ins", "upstream_failures"],
} as const;

const tones: Record<string, Series["tone"]> = {
  links_bound: "good",
  links_refused: "warm",
  mails_deferred: "warm",
  mails_failed: "bad",
  mails_bounced: "bad",
  upstream_failures: "bad",
};

export function overview(site: Site, frame: ConsoleFrame, view: OverviewPage): string {
  const t = messages(site.locale);
  const heading = t.text("admin.overview.title");
  const group = (name: keyof typeof groups): Html => {
    const wanted: readonly string[] = groups[name];
    const series = view.metrics.series
      .filter((one) => wanted.includes(one.name))
      .map((one): Series => {
        const metric = t.text(`admin.metric.${one.name as (typeof groups)[keyof typeof groups][number]}`);
        const upstream =
          one.upstream_id === null ? null : (view.upstreams.get(one.upstream_id) ?? one.upstream_id);
        const label = upstream === null ? metric : t.text("admin.metricOf", { metric, name: upstream });
        return { label, tone: tones[one.name] ?? "plain", total: one.total, points: one.points };
      });
    const title = t.text(`admin.group.${name}`);
    return html`<section class="figures" aria-labelledby="group-${name}"><h2 id="group-${name}">${title}</h2>
<div class="charts">${series.map((one) => bars(site, one))}</div>
${numbers(site, title, series)}</section>`;
  };
  const ranges = (["24h", "7d", "30d"] as const).map((range) => {
    const current = range === view.range && html` aria-current="true"`;
    const label = t.text(`admin.range.${range}`);
    return html`<a href="${site.basePath}/admin?range=${range}"${current}>${label}</a>`;
  });
  return renderConsole(site, frame, {
    section: "overview",
    heading,
    body: html`${headed(heading)}
<nav class="ranges" aria-label="${t.text("admin.rangeLabel")}">${ranges}</nav>
${attention(site, view.attention)}
${group("signIns")}${group("links")}${group("mails")}${group("upstreams")}`,
  });
}

function attention(site: Site, { plans, api_keys, previous_secrets, mails }: AttentionView): Html {
  const t = messages(site.locale);
  const admin = `${site.basePath}/admin`;
  const lines: Html[] = [
    ...(["failed", "bounced", "held"] as const)
      .filter((state) => mails[state] > 0)
      .map((state) => {
        const text = t.text(`admin.attention.${state}`, { count: mails[state] });
        return html`<li><a href="${admin}/mail?state=${state}">${text}</a></li>`;
      }),
    ...plans.map(({ id, name, plan }) => {
      const organization = html`<a href="${admin}/organizations/${encodeURIComponent(id)}">${name}</a>`;
      const date = dayOf(site, plan.last_day ?? "");
      return html`<li>${t.html("admin.attention.plan", { name: organization, date })}</li>`;
    }),
    ...previous_secrets.map(({ client_id, until, last_used_at }) => {
      const name = clientName(site, client_id);
      const client = html`<a href="${admin}/clients/${encodeURIComponent(client_id)}">${name}</a>`;
      const date = isoTime(site, until);
      if (last_used_at === null) return html`<li>${t.html("admin.attention.secret", { client, date })}</li>`;
      const used = isoTime(site, last_used_at);
      return html`<li>${t.html("admin.attention.secretUsed", { client, date, used })}</li>`;
    }),
    ...api_keys.map(({ name, expires_at }) => {
      const key = html`<a href="${admin}/keys">${name}</a>`;
      const date = isoTime(site, expires_at);
      return html`<li>${t.html("admin.attention.key", { name: key, date })}</li>`;
    }),
  ];
  const title = html`<h2 id="attention">${t.text("admin.attention.title")}</h2>`;
  return html`<section class="attention" aria-labelledby="attention">${title}
${lines.length === 0 ? html`<p>${t.text("admin.attention.none")}</p>` : html`<ul>${lines}</ul>`}</section>`;
}
