/** Small charts: bars over time, drawn by the server, with the numbers in a table behind them. */

import { formatShort } from "../format.ts";
import { type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";

export interface Series {
  label: string;
  tone: "good" | "warm" | "bad" | "plain";
  total: number;
  points: { at: string; count: number }[];
}

const WIDTH = 240;
const HEIGHT = 56;

/** One series as bars. The picture says its sum; what each bar is stands in the table. */
export function bars(site: Site, { label, tone, total, points }: Series): Html {
  const most = Math.max(1, ...points.map(({ count }) => count));
  const step = WIDTH / Math.max(1, points.length);
  const text = messages(site.locale).text("admin.chart", { label, total });
  const sum = new Intl.NumberFormat(site.locale).format(total);
  return html`<figure class="chart chart-${tone}">
<figcaption><span class="chart-total">${sum}</span> <span>${label}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${text}" preserveAspectRatio="none">
${points.map(({ count }, index) => {
  const height = count === 0 ? 1 : Math.max(2, (count / most) * (HEIGHT - 4));
  const place = html`x="${(index * step + step * 0.1).toFixed(1)}" y="${(HEIGHT - height).toFixed(1)}"`;
  const size = html`width="${(step * 0.8).toFixed(1)}" height="${height.toFixed(1)}"`;
  return html`<rect${count === 0 && html` class="chart-none"`} ${place} ${size}/>`;
})}
</svg>
</figure>`;
}

/** The numbers of several series, a row for each step of time. */
export function numbers(site: Site, caption: string, series: readonly Series[]): Html {
  const t = messages(site.locale);
  const [first] = series;
  if (first === undefined) return html``;
  const labels = series.map(({ label }) => html`<th scope="col">${label}</th>`);
  const rows = first.points.map(({ at }, row) => {
    const counts = series.map(({ points }) => html`<td>${points[row]?.count ?? 0}</td>`);
    return html`<tr><th scope="row">${formatShort(site, Date.parse(at))}</th>${counts}</tr>`;
  });
  const table = html`<table class="grid"><caption class="unseen">${caption}</caption>
<thead><tr><th scope="col">${t.text("admin.from")}</th>${labels}</tr></thead>
<tbody>${rows}</tbody></table>`;
  return html`<details class="numbers"><summary>${t.text("admin.numbers")}</summary>
<div class="scroll" role="region" aria-label="${caption}" tabindex="0">${table}</div></details>`;
}
