/** Verifications of the audit: how far one is, what it came to, and those before it. */

import { bdi, type Child, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Form, Site } from "../views.ts";
import { actButton, badge, code, facts, isoTime, table } from "./components.ts";
import { headed, renderConsole, sectionUrl } from "./frame.ts";
import { actorName } from "./names.ts";
import type { ConsoleFrame, Names, VerificationResultView, VerificationView } from "./views.ts";

export interface VerificationsPage {
  /** The one that is looked at. */
  current: VerificationView | null;
  /** The others, newest first. */
  others: VerificationView[];
  verify: Form;
  /** How often the page loads itself anew, in seconds, and where it doesn't; null where it doesn't. */
  reloads: { seconds: number; stopUrl: string } | null;
  names: Names;
}

export function verifications(site: Site, frame: ConsoleFrame, view: VerificationsPage): string {
  const t = messages(site.locale);
  const heading = t.text(view.current === null ? "admin.verification.titleAll" : "admin.verification.title");
  const { current, others } = view;
  // Who asks while one goes on gets that one.
  const mayAsk = current === null || !isOpen(current);
  const ask = actButton(view.verify, t.text("admin.verification.now"));
  const lead = html`<p class="lead">${t.text("admin.verification.lead")}</p>`;
  return renderConsole(site, frame, {
    section: "audit",
    heading,
    back: { url: sectionUrl(site, "audit"), label: t.text("admin.section.audit") },
    body: html`${headed(heading, ...(mayAsk ? [ask] : []))}
${current === null ? lead : one(site, current, view)}
${current !== null && html`<h2>${t.text("admin.verification.others")}</h2>`}
${earlier(site, heading, others, view.names)}`,
  });
}

const urlOf = (site: Site, { id }: VerificationView) =>
  `${sectionUrl(site, "audit")}/verifications/${encodeURIComponent(id)}`;

function one(site: Site, verification: VerificationView, { reloads, names }: VerificationsPage): Html {
  const t = messages(site.locale);
  const time = (at: string | null) => at !== null && isoTime(site, at);
  return html`${answer(site, verification)}
${isOpen(verification) && reloading(site, urlOf(site, verification), reloads)}
${facts([
  [t.text("admin.verification.askedBy"), actorName(site, names, verification.asked_by)],
  [t.text("admin.verification.asked"), time(verification.asked_at)],
  [t.text("admin.verification.started"), time(verification.started_at)],
  [t.text("admin.verification.ended"), time(verification.ended_at)],
  [t.text("admin.verification.keptHead"), verification.kept_head !== null && code(verification.kept_head)],
])}`;
}

const isOpen = ({ state }: VerificationView) => state === "waiting" || state === "running";

/** That the page changes by itself, and how that is ended. */
function reloading(site: Site, url: string, reloads: VerificationsPage["reloads"]): Html {
  const t = messages(site.locale);
  if (reloads === null) return html`<p><a href="${url}">${t.text("admin.verification.reload")}</a></p>`;
  const text = t.text("admin.verification.reloads", { count: reloads.seconds });
  const stop = html`<a href="${reloads.stopUrl}">${t.text("admin.verification.stop")}</a>`;
  return html`<p class="hint">${text} ${stop}</p>`;
}

function answer(site: Site, { state, verified, total, result, failure }: VerificationView): Html {
  const t = messages(site.locale);
  if (result !== null) return answerOf(site, result);
  if (state === "failed") {
    const title = t.text("admin.verification.failed");
    return html`<section class="answer answer-bad" role="status"><h2>${title}</h2>
${failure !== null && html`<p>${bdi(failure)}</p>`}
<p>${t.text("admin.verification.failedText")}</p></section>`;
  }
  const text = t.text(state === "waiting" ? "admin.verification.waiting" : "admin.verification.running");
  const soon = html`<p>${t.text("admin.verification.soon")}</p>`;
  return html`<section class="answer" role="status"><h2>${text}</h2>
${total === null ? soon : progress(site, verified, total)}</section>`;
}

function progress(site: Site, verified: number, total: number): Html {
  const text = messages(site.locale).text("admin.verification.progress", { verified, total });
  const bar = html`<progress aria-label="${text}" max="${total}" value="${verified}"></progress>`;
  return html`<p>${text}</p>${bar}`;
}

function answerOf(
  site: Site,
  { intact, verified, unsealed, pruned, head, problem }: VerificationResultView,
): Html {
  const t = messages(site.locale);
  const title = t.text(intact ? "admin.audit.intact" : "admin.audit.broken");
  return html`<section class="answer answer-${intact ? "good" : "bad"}" role="status"><h2>${title}</h2>
${problem !== null && html`<p>${bdi(problem)}</p>`}
${facts([
  [t.text("admin.audit.verified"), String(verified)],
  [t.text("admin.audit.unsealed"), String(unsealed)],
  [t.text("admin.audit.pruned"), pruned > 0 && String(pruned)],
  [t.text("admin.audit.head"), head && code(head)],
])}
${head !== null && html`<p class="hint">${t.text("admin.audit.headHint")}</p>`}</section>`;
}

function earlier(site: Site, heading: string, items: readonly VerificationView[], names: Names): Html {
  const t = messages(site.locale);
  const columns = [
    {
      label: t.text("admin.verification.asked"),
      cell: (each: VerificationView): Child =>
        html`<a href="${urlOf(site, each)}">${isoTime(site, each.asked_at)}</a>`,
    },
    {
      label: t.text("admin.verification.askedBy"),
      cell: (each: VerificationView): Child => actorName(site, names, each.asked_by),
    },
    {
      label: t.text("admin.verification.result"),
      cell: (each: VerificationView): Child => outcome(site, each),
    },
    { label: t.text("admin.audit.verified"), cell: (each: VerificationView): Child => String(each.verified) },
  ];
  return table(heading, columns, items, t.text("admin.verification.none"));
}

function outcome(site: Site, { state, result }: VerificationView): Html {
  const t = messages(site.locale);
  if (result !== null) {
    return result.intact
      ? badge("good", t.text("admin.verification.state.intact"))
      : badge("bad", t.text("admin.verification.state.broken"));
  }
  if (state === "waiting" || state === "running")
    return badge("quiet", t.text(`admin.verification.state.${state}`));
  return badge("warm", t.text("admin.verification.state.failed"));
}
