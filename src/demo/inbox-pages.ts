/** The pages of the demo's inbox, and the list of people one can be. Pure functions. */

import type { InboxMessage } from "./inbox-mailbox.ts";
import { html, type Markup, type Page } from "./page.ts";
import { type DemoPerson, expectations } from "./people.ts";

function inboxPage(content: Pick<Page, "title" | "body" | "status" | "script">): Page {
  const nav = [
    { href: "/", label: "Mail" },
    { href: "/people", label: "People" },
  ];
  return { look: "inbox", site: "Demo inbox", tagline: "All mail that the demo sends", nav, ...content };
}

/**
 * Shows new mail without being asked to: reloads when the newest mail is another one than when the page was
 * made.
 */
function watchScript(newestId: string): string {
  return `const shown = ${JSON.stringify(newestId)};
setInterval(async () => {
  if (document.hidden) return;
  const answer = await fetch("/api/newest").catch(() => null);
  if (answer?.ok && (await answer.json()).id !== shown) location.reload();
}, 1500);`;
}

export function mailListPage(messages: readonly InboxMessage[]): Page {
  const mails = messages.map(
    ({ id, subject, to, received_at: at }) => html`<li>
      <a href="/messages/${id}">${subject === "" ? "(no subject)" : subject}</a>
      <p>to ${to} · <time datetime="${at}">${utc(at)}</time></p>
    </li>`,
  );
  return inboxPage({
    title: "Mail",
    script: watchScript(messages[0]?.id ?? ""),
    body: html`<h1>Mail</h1>
      <p class="soft">Newest first. New mail appears by itself; without JavaScript,
        <a href="/">look again</a>.</p>
      ${
        mails.length === 0
          ? html`<p class="notice">Nothing yet. Mail arrives here when somebody asks for a link at the sign-in
              service.</p>`
          : html`<ul class="mails">${mails}</ul>`
      }`,
  });
}

export function mailPage(message: InboxMessage): Page {
  const { id, subject, to, received_at: at } = message;
  return inboxPage({
    title: subject === "" ? "(no subject)" : subject,
    body: html`<p><a href="/">All mail</a></p>
      <h1>${subject === "" ? "(no subject)" : subject}</h1>
      <p class="soft">to ${to} · <time datetime="${at}">${utc(at)}</time></p>
      <section class="card" aria-label="Text"><pre>${linked(message.text)}</pre></section>
      ${
        message.html === ""
          ? ""
          : html`<section>
              <h2>The same mail as HTML</h2>
              <p class="soft">As a mail program would show it. Nothing works in it here: use the links of the
                text above.</p>
              <iframe sandbox="" src="/messages/${id}/html" title="The mail as HTML"></iframe>
            </section>`
      }`,
  });
}

export function missingMailPage(): Page {
  return inboxPage({
    title: "No such mail",
    status: 404,
    body: html`<h1>No such mail</h1><p>The inbox keeps the newest 500 mails. <a href="/">All mail</a></p>`,
  });
}

/** A mail's text with its addresses as links. */
function linked(text: string): Markup[] {
  return text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])/).map((part, index) => {
    return index % 2 === 1 ? html`<a href="${part}" rel="noreferrer">${part}</a>` : html`${part}`;
  });
}

export function peoplePage(
  people: readonly DemoPerson[],
  places: Record<DemoPerson["portal"], string>,
): Page {
  const rows = people.map(
    (person) => html`<tr>
      <th scope="row">${person.name}</th>
      <td data-label="Sign in as"><code>${person.username}</code> / <code>${person.password}</code></td>
      <td data-label="Registered email">${person.registered_email}</td>
      <td data-label="Start at"><a href="${places[person.portal]}">${placeNames[person.portal]}</a></td>
      <td data-label="What happens">${expectations[person.expect]}</td>
    </tr>`,
  );
  return inboxPage({
    title: "People",
    body: html`<h1>People you can be</h1>
      <p class="lead">Each of them has an account at Fabrikam ID and is known to an organization. Use a
        private window, or sign out, to change from one to another.</p>
      <div class="scroll"><table class="stack">
        <thead><tr>
          <th scope="col">Name</th>
          <th scope="col">Sign in as</th>
          <th scope="col">Registered email</th>
          <th scope="col">Start at</th>
          <th scope="col">What happens</th>
        </tr></thead>
        <tbody>${rows}</tbody>
      </table></div>`,
  });
}

const placeNames: Record<DemoPerson["portal"], string> = {
  customersource: "CustomerSource",
  partnersource: "PartnerSource",
  administration: "Administration",
};

function utc(iso: string): string {
  return `${iso.slice(0, 19).replace("T", " ")} UTC`;
}
