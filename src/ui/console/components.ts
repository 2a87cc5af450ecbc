/** Components of the administration's pages: tables, facts, forms and their fields, badges. */

import { csrfInput, errorLine, linkButton, problemSummary } from "../components.ts";
import { formatDay, formatShort } from "../format.ts";
import { bdi, type Child, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Form, Site } from "../views.ts";
import type { FormState, Listing } from "./views.ts";

export interface Column<Row> {
  label: string;
  cell(row: Row): Child;
}

/**
 * Rows as a table; on a narrow screen each row becomes a block whose cells bear their column's name. The
 * roles say what it is there, too, where the layout of a table is gone.
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  empty: string,
): Html {
  if (rows.length === 0) return html`<p class="console-empty">${empty}</p>`;
  const heads = columns.map(({ label }) => html`<th role="columnheader" scope="col">${label}</th>`);
  const lines = rows.map((row) => {
    const cells = columns.map(
      ({ label, cell }) => html`<td role="cell" data-label="${label}"><div>${cell(row)}</div></td>`,
    );
    return html`<tr role="row">${cells}</tr>`;
  });
  return html`<table class="rows" role="table">
<caption class="unseen">${caption}</caption>
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">
${lines}
</tbody>
</table>`;
}

/** Facts of one record. What isn't there is left out. */
export function facts(entries: readonly (readonly [label: string, value: Child])[]): Html {
  const known = entries.filter(
    ([, value]) => value !== null && value !== undefined && value !== false && value !== "",
  );
  const lines = known.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`);
  return html`<dl class="facts-list console-facts">${lines}</dl>`;
}

export const isoTime = (site: Site, at: string): Html =>
  html`<time datetime="${at}">${formatShort(site, Date.parse(at))}</time>`;

/** A day (YYYY-MM-DD), as it is in whichever zone it was meant. */
export const dayOf = (site: Site, day: string): Html =>
  html`<time datetime="${day}">${formatDay(site, day)}</time>`;

export const timeOr = (site: Site, at: string | null, otherwise: string): Child =>
  at === null ? otherwise : isoTime(site, at);

export type Tone = "good" | "warm" | "bad" | "quiet";

export function badge(tone: Tone, text: string): Html {
  return html`<span class="badge badge-${tone}">${text}</span>`;
}

export function onOff(site: Site, enabled: boolean): Html {
  const t = messages(site.locale);
  return enabled ? badge("good", t.text("admin.on")) : badge("bad", t.text("admin.off"));
}

export function code(text: string): Html {
  return html`<code>${bdi(text)}</code>`;
}

/** A word of ours: it isn't broken where there is room. */
export function word(text: string): Html {
  return html`<code class="short">${text}</code>`;
}

/** What was just done. */
export function doneNotice(text: Child): Html {
  return html`<div class="done" role="status"><p>${text}</p></div>`;
}

/** What is wrong with what was asked, where no field is named. */
export function faultNotice(site: Site, fault: string): Html {
  const heading = html`<h2>${messages(site.locale).text("common.errorSummary")}</h2>`;
  return html`<div class="problem" role="alert" tabindex="-1" data-focus>${heading}<p>${fault}</p></div>`;
}

/** A field of a filter, for text that is no prose. */
export function plainInput(name: string, type: string, value: string, more: Child = null): Html {
  const attributes = html`type="${type}"${more} autocomplete="off" spellcheck="false" value="${value}"`;
  return html`<input class="input" id="${name}" name="${name}" ${attributes}>`;
}

/** The form that searches a list, and the way back to all of it. */
export function searchForm(
  site: Site,
  url: string,
  label: string,
  { search }: Pick<Listing<unknown>, "search">,
): Html {
  const t = messages(site.locale);
  return html`<form class="console-search" role="search" method="get" action="${url}">
<label for="q">${label}</label>
<div>${plainInput("q", "search", search, html` maxlength="200"`)}
<button class="button button-secondary" type="submit">${t.text("admin.search")}</button></div>
${search !== "" && html`<p><a href="${url}">${t.text("admin.searchAll")}</a></p>`}
</form>`;
}

export function pager(site: Site, { nextUrl }: Pick<Listing<unknown>, "nextUrl">): Html | null {
  if (nextUrl === null) return null;
  const text = messages(site.locale).text("admin.next");
  return html`<p class="console-pager"><a class="onward" href="${nextUrl}">${text}</a></p>`;
}

export interface Choice {
  value: string;
  label: string;
  hint?: string;
}

export interface Field {
  name: string;
  label: string;
  hint?: string;
  /** text unless said otherwise. lines: one value a line. */
  kind?: "text" | "email" | "url" | "date" | "lines" | "select" | "radios" | "ticks" | "tick";
  choices?: readonly Choice[];
  optional?: boolean;
  /** Folded away with its like at the form's end. */
  isRare?: boolean;
}

/** A form of fields, with what is wrong with them. */
export function fieldForm(
  site: Site,
  state: FormState,
  fields: readonly Field[],
  { submit, cancelUrl }: { submit: string; cancelUrl?: string },
): Html {
  const text = messages(site.locale).text("admin.cancel");
  const cancel =
    cancelUrl !== undefined && html`<a class="button button-secondary" href="${cancelUrl}">${text}</a>`;
  return html`<form class="console-form" method="post" action="${state.form.action}" novalidate>
${csrfInput(state.form.csrfToken)}
${state.revision !== undefined && html`<input type="hidden" name="revision" value="${state.revision}">`}
${state.was !== undefined && html`<input type="hidden" name="was" value="${state.was}">`}
${state.once !== undefined && onceInput(state.once)}
${fields.filter(({ isRare }) => isRare !== true).map((field) => fieldOf(site, state, field))}
${rareFields(site, state, fields)}
<p class="actions"><button class="button button-primary" type="submit">${submit}</button>
${cancel}</p>
</form>`;
}

/** Shown at once where something is wrong with one of them. */
function rareFields(site: Site, state: FormState, fields: readonly Field[]): Html | null {
  const rare = fields.filter(({ isRare }) => isRare === true);
  if (rare.length === 0) return null;
  const isOpen = state.faults.some(({ field }) =>
    rare.some(({ name }) => fieldNamed([name], field) === name),
  );
  const title = messages(site.locale).text("admin.rare");
  return html`<details class="rare"${isOpen && html` open`}><summary>${title}</summary>
${rare.map((field) => fieldOf(site, state, field))}</details>`;
}

/** What is wrong with a form, first on the page: with fields of its own, or with the whole. */
export function formProblems(site: Site, state: FormState, fields: readonly Field[]): Html | null {
  const t = messages(site.locale);
  const { faults, differences } = state;
  const known = fields.map(({ name }) => name);
  const summary = problemSummary(
    site,
    faults.map((fault) => {
      const name = fieldNamed(known, fault.field);
      const problem = problemText(site, state, fault);
      const label = fields.find((one) => one.name === name)?.label;
      return { target: name ?? "main", text: label === undefined ? problem : `${label}: ${problem}` };
    }),
  );
  if (differences === undefined) return summary;
  return html`${summary}<div class="notice" role="alert" tabindex="-1" data-focus>
<h2>${t.text("admin.overtaken")}</h2>
<p>${t.text("admin.overtakenText")}</p>
${
  differences.length > 0 &&
  html`<ul>${differences.map(({ field, yours, current }) => {
    const name = fieldNamed(known, field);
    // Of a field of several values, what the form doesn't show is another word for what it does.
    if (name === undefined && field.includes(".")) return null;
    const label = fields.find((one) => one.name === name)?.label ?? field;
    const values = { yours: orDash(yours), current: orDash(current) };
    return html`<li>${t.html("admin.difference", { field: label, ...values })}</li>`;
  })}</ul>`
}
</div>`;
}

const orDash = (text: string) => (text === "" ? "–" : text);

/** `redirect_uris.0` is of the field `redirect_uris`, `plan.status` of `plan_status`. */
function fieldNamed(names: readonly string[], field: string): string | undefined {
  const [first = "", ...rest] = field.split(".");
  const joined = [first, ...rest.filter((part) => !/^\d+$/.test(part))];
  return (
    names.find((name) => name === joined.join("_")) ??
    names.find((name) => name === first) ??
    names.find((name) => name === joined.at(-1))
  );
}

/** What is wrong, with the line that it is about where the field has several. */
function problemText(
  site: Site,
  { values }: FormState,
  { field, problem }: FormState["faults"][number],
): string {
  const [, name = "", place] = /^(.+)\.(\d+)$/.exec(field) ?? [];
  const lines = (values[name] ?? []).flatMap((text) => text.split("\n")).filter((line) => line.trim() !== "");
  const line = lines[Number(place)]?.trim();
  return line === undefined ? problem : messages(site.locale).text("admin.faultOfLine", { line, problem });
}

function fieldOf(site: Site, state: FormState, field: Field): Html {
  const t = messages(site.locale);
  const { name, label, hint, kind = "text", choices = [], optional = false } = field;
  const fault = state.faults.find((one) => fieldNamed([name], one.field) === name);
  const values = state.values[name] ?? [];
  const described = [
    ...(hint === undefined ? [] : [`${name}-hint`]),
    ...(fault === undefined ? [] : [`${name}-error`]),
  ];
  const describedBy = described.length > 0 && html` aria-describedby="${described.join(" ")}"`;
  const aria = html`${describedBy}${fault && html` aria-invalid="true"`}`;
  const text = optional ? t.text("admin.optional", { label }) : label;
  const error = fault && errorLine(site, name, problemText(site, state, fault));
  const hintText = hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`;
  const wrong = fault === undefined ? "" : " field-wrong";
  if (kind === "radios" || kind === "ticks") {
    const type = kind === "radios" ? "radio" : "checkbox";
    const ticks = choices.map(({ value, label, hint }, index) => {
      const id = index === 0 ? name : `${name}-${index}`;
      const checked = values.includes(value) && html` checked`;
      const more = hint !== undefined && html` <span class="hint-inline">${hint}</span>`;
      const attributes = html`type="${type}" name="${name}" value="${value}"${checked}`;
      return html`<div class="tick-row"><input id="${id}" ${attributes}>
<label for="${id}">${label}${more}</label></div>`;
    });
    return html`<fieldset class="field${wrong}"${aria}><legend>${text}</legend>${hintText}${error}
<div class="ticks">${ticks}</div></fieldset>`;
  }
  if (kind === "tick") {
    const checked = values.includes("true") && html` checked`;
    const attributes = html`type="checkbox" name="${name}" value="true"${checked}${aria}`;
    return html`<div class="field${wrong}"><div class="tick-row"><input id="${name}" ${attributes}>
<label for="${name}">${label}</label></div>${hintText}${error}</div>`;
  }
  const input = control(field, values, aria, choices);
  const labelled = html`<label for="${name}">${text}</label>${hintText}${error}${input}`;
  return html`<div class="field${wrong}">${labelled}</div>`;
}

function control(
  { name, kind = "text" }: Field,
  values: readonly string[],
  aria: Html,
  choices: readonly Choice[],
): Html {
  if (kind === "select") {
    return html`<select class="input" id="${name}" name="${name}"${aria}>${choices.map(
      ({ value, label }) =>
        html`<option value="${value}"${values.includes(value) && html` selected`}>${label}</option>`,
    )}</select>`;
  }
  if (kind === "lines") {
    const rows = Math.max(2, Math.min(values.length + 1, 8));
    const attributes = html`rows="${rows}" spellcheck="false" autocapitalize="off"${aria}`;
    const text = values.join("\n");
    return html`<textarea class="input" id="${name}" name="${name}" ${attributes}>${text}</textarea>`;
  }
  const type = kind === "email" || kind === "url" || kind === "date" ? kind : "text";
  const typing = kind === "text" ? html`dir="auto"` : html`spellcheck="false" autocapitalize="off"`;
  const attributes = html`type="${type}" autocomplete="off" ${typing}${aria} value="${values[0] ?? ""}"`;
  return html`<input class="input" id="${name}" name="${name}" ${attributes}>`;
}

const onceInput = (once: string) => html`<input type="hidden" name="once" value="${once}">`;

/** A button that does something at once. */
export function actButton(
  form: Form,
  label: Child,
  kind: "primary" | "secondary" | "danger" = "secondary",
): Html {
  const hidden = html`${csrfInput(form.csrfToken)}${form.once !== undefined && onceInput(form.once)}`;
  const button = html`<button class="button button-${kind} button-small" type="submit">${label}</button>`;
  return html`<form class="inline-form" method="post" action="${form.action}">${hidden}${button}</form>`;
}

export const goButton = (url: string, label: Child, kind: "primary" | "secondary" = "secondary"): Html =>
  linkButton(url, label, kind);

/** Text to be copied, whole. */
export function copyBlock(id: string, label: string, text: string): Html {
  const block = html`<pre tabindex="0" role="region" aria-labelledby="${id}"><code>${text}</code></pre>`;
  return html`<div class="copy"><p class="copy-label" id="${id}">${label}</p>${block}</div>`;
}
