/** The REST API as a page: every operation, what it takes, who may call it. */

import { type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import type { Site } from "../views.ts";

export interface ApiOperation {
  name: string;
  method: string;
  path: string;
  summary: string;
  scope: string;
  fields: {
    name: string;
    type: string;
    where: "path" | "query" | "body" | "header";
    required: boolean;
    description: string;
  }[];
}

/** English alone: it is for developers, and says what the document says. */
export function apiPage(
  site: Site,
  { base, version, operations }: { base: string; version: string; operations: ApiOperation[] },
): string {
  const heading = "Administration API";
  const document = html`<a href="${base}/openapi.json">OpenAPI 3.1 document</a>`;
  const body = html`<h1>${heading}</h1>
<p class="lead">Version ${version}, at <code>${base}</code>. For programs: ${document}.</p>
<p>Call it with <code>Authorization: Bearer …</code>: an API key, or a token that a machine client app got by
client_credentials. Edits name by <code>If-Match</code> the ETag that the record was read with; creations may
bear an <code>Idempotency-Key</code>. What goes wrong is a problem (RFC 9457). Lists have a
<code>next_cursor</code>.</p>
${operations.map(
  ({
    name,
    method,
    path,
    summary,
    scope,
    fields,
  }) => html`<section class="operation" aria-labelledby="${name}">
<h2 id="${name}"><code>${method} ${path}</code></h2>
<p>${summary}</p>
<p class="hint">${name}, scope <code>${scope}</code></p>
${fields.length > 0 && html`<dl class="facts-list">${fields.map(fieldLine)}</dl>`}
</section>`,
)}`;
  return renderPage(site, { heading, wide: true, body });
}

function fieldLine({ name, type, where, required, description }: ApiOperation["fields"][number]): Html {
  const about = html`${type}, ${where}${required && ", required"}${description !== "" && `. ${description}`}`;
  return html`<div><dt><code>${name}</code></dt><dd>${about}</dd></div>`;
}
