/**
 * The shape of a mail as text and as HTML: paragraphs, one link, a footer. No images, nothing from elsewhere,
 * and no colours of its own for text, so that a mail program's dark mode stays readable.
 */

import { bdi, type Html, html } from "../ui/html.ts";

export type Block =
  | { kind: "paragraph"; text: string }
  | { kind: "facts"; facts: readonly { label: string; text: string }[] }
  | { kind: "code"; label: string; code: string; text: string }
  | { kind: "link"; url: string; button: string; copy: string }
  | { kind: "list"; items: readonly ListItem[] };

/** One of several things that a mail is about, under its code. */
export interface ListItem {
  code: { label: string; code: string } | null;
  facts: readonly { label: string; text: string }[];
  /** What can be done about it, or why nothing can. */
  end: { url: string; text: string } | string;
}

export interface Mail {
  locale: string;
  subject: string;
  sender: string;
  greeting: string;
  blocks: readonly Block[];
  footer: readonly string[];
}

/** The text part. A link stands alone on its line; lines aren't wrapped, so that no address is cut. */
export function renderText(mail: Mail): string {
  const blocks = mail.blocks.map((block) => {
    if (block.kind === "link") return block.url;
    if (block.kind === "list") return block.items.map(itemText).join("\n\n");
    if (block.kind === "facts") return block.facts.map(factText).join("\n");
    return block.kind === "code" ? `${block.label}: ${block.code}\n${block.text}` : block.text;
  });
  return `${[mail.greeting, ...blocks, `-- \n${mail.sender}`, mail.footer.join("\n")].join("\n\n")}\n`;
}

function itemText({ code, facts, end }: ListItem, index: number): string {
  const indent = " ".repeat(4);
  const first = code === null ? [] : [`${code.label}: ${code.code}`];
  const lines = [...first, ...facts.map(factText), typeof end === "string" ? end : end.url];
  return `${`${index + 1}.`.padEnd(4)}${lines.join(`\n${indent}`)}`;
}

/** Several lines are quoted, so that none of them looks like ours. */
function factText({ label, text }: { label: string; text: string }): string {
  const lines = text.split("\n");
  return lines.length === 1
    ? `${label}: ${text}`
    : [`${label}:`, ...lines.map((line) => `> ${line}`)].join("\n");
}

const font =
  "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5";
const button =
  "display:inline-block;padding:12px " +
  "22px;border-radius:10px;background:#0b5a4e;color:#ffffff;font-weight:bold;text-decoration:none";

const code = "font-size:20px;letter-spacing:0.15em";
const itemLink =
  "display:inline-block;padding:8px 0;color:inherit;font-weight:bold;text-decoration:underline";
const list = "margin:0 0 16px;padding:0 0 0 28px";

/** The HTML part: a whole document with inline styles, for mail programs keep little else. */
export function renderHtml(mail: Mail): string {
  const document = html`<!doctype html>
<html lang="${mail.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${mail.subject}</title>
</head>
<body style="margin:0;padding:24px 16px;${font}">
<div role="article" aria-label="${mail.subject}" style="max-width:560px;margin:0 auto;overflow-wrap:anywhere">
<h1 style="margin:0 0 20px;font-size:22px;line-height:1.25">${bdi(mail.subject)}</h1>
<p style="margin:0 0 16px">${bdi(mail.greeting)}</p>
${mail.blocks.map(renderBlock)}
<div style="margin:28px 0 0;padding:16px 0 0;border-top:1px solid #80808080;font-size:14px">
<p style="margin:0 0 8px"><strong>${bdi(mail.sender)}</strong></p>
${mail.footer.map((line) => html`<p style="margin:0 0 8px">${bdi(line)}</p>`)}
</div>
</div>
</body>
</html>
`;
  return document.toString();
}

function renderBlock(block: Block): Html {
  if (block.kind === "paragraph") return html`<p dir="auto" style="margin:0 0 16px">${block.text}</p>\n`;
  if (block.kind === "facts") {
    return html`<dl style="margin:0 0 16px">${block.facts.map(
      ({ label, text }) =>
        html`<dt style="font-size:14px">${label}</dt><dd dir="auto"
          style="margin:0 0 12px;white-space:pre-wrap">${text}</dd>`,
    )}</dl>\n`;
  }
  if (block.kind === "code") {
    return html`<p style="margin:0 0 16px">${block.label}: <strong
      style="${code}">${block.code}</strong><br>${block.text}</p>\n`;
  }
  if (block.kind === "list") return html`<ol style="${list}">${block.items.map(renderItem)}</ol>\n`;
  return html`<p style="margin:0 0 16px"><a href="${block.url}" style="${button}">${block.button}</a></p>
<p style="margin:0 0 16px">${block.copy}<br><a href="${block.url}"
  style="color:inherit;word-break:break-all">${block.url}</a></p>
`;
}

function renderItem({ code: request, facts, end }: ListItem): Html {
  return html`<li style="margin:0 0 24px">${
    request !== null && html`${request.label}: <strong style="${code}">${request.code}</strong><br>`
  }${facts.map(({ label, text }) => html`${label}: ${bdi(text)}<br>`)}${
    typeof end === "string" ? end : html`<a href="${end.url}" style="${itemLink}">${end.text}</a>`
  }</li>
`;
}
