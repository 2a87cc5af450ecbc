/** A link that can't be used: why, what to do, whom to write to. */

import { goToOpened, goToPortal, whomToAsk } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { LinkDeadPage, Site } from "../views.ts";

export function linkDead(site: Site, view: LinkDeadPage): string {
  const t = messages(site.locale);
  const { reason, membership } = view;
  const heading = t.text(`linkDead.${reason}.title`);
  const subject =
    membership &&
    t.html("linkDead.subject", {
      profile: membership.profileName,
      organization: membership.organizationName,
    });
  const onward = view.opens === null ? goToPortal(site, null) : goToOpened(site, view.opens);
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.text(`linkDead.${reason}.why`)}</p>
${subject && html`<p>${subject}</p>`}
<h2>${t.text("common.whatToDo")}</h2>
<p>${t.text(`linkDead.${reason}.do`)}</p>
${reason !== "cookie_missing" && onward}
${whomToAsk(site)}`;
  return renderPage(site, { heading, body });
}
