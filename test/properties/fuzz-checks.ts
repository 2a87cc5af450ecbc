/** What no answer may be or hold, whatever was asked. */

import { parse } from "node-html-parser";
import type { RawOutcome, RawRequest, RawResponse } from "./fuzz-client.ts";

const requiredHeaders: Record<string, RegExp> = {
  "content-security-policy": /^default-src 'none';script-src 'self'[^;]*;style-src 'self'[^;]*;/,
  "x-content-type-options": /^nosniff$/,
  "x-frame-options": /^DENY$/i,
  "referrer-policy": /^no-referrer$/,
  "cache-control": /^no-store$/,
};

/** The directives of our policy, and none besides. */
const directives = new Set([
  "default-src",
  "script-src",
  "style-src",
  "img-src",
  "connect-src",
  "form-action",
  "base-uri",
  "frame-ancestors",
]);

/** A stack trace's line, a file of ours or of a library. */
const insides = /\n\s+at .+:\d+:\d+|node_modules|node:internal|file:\/\/\/[^e]|\/src\/\w+\/|\.ts:\d+/;

/** Markup of ours that came through, or a link that runs a script. */
const reflected = /<x7q|(?:href|src|action|formaction)\s*=\s*["']?\s*(?:javascript|data):/i;

/** What is wrong with an answer; empty if nothing is. `hosts`: where a redirect may lead. */
export function faultsOf(
  request: RawRequest,
  outcome: RawOutcome,
  issuer: URL,
  hosts: ReadonlySet<string>,
): string[] {
  if (outcome === "hung") return ["no answer in time"];
  if (outcome === "dropped") return request.wellFormed ? ["the connection was closed without an answer"] : [];
  const { status, headers, body } = outcome;
  const faults: string[] = [];
  const isUpstream = /^[^?]*\/upstream\//i.test(request.target);
  // That an upstream refuses a code, or says by the browser that it is down, is the upstream's failure and is
  // said so.
  const isUpstreams = isUpstream && (status === 502 || status === 503);
  if (status >= 500 && !isUpstreams) faults.push(`status ${status}`);
  if (!(status >= 200 && status < 600)) faults.push(`a response without a status: ${status}`);
  if (insides.test(body)) faults.push("the body shows the inside");
  if (headers.has("x7q-header")) faults.push("a header was injected");
  if ((headers.get("access-control-allow-credentials") ?? "") !== "")
    faults.push("cookies are shared across origins");
  faults.push(...redirectFaults(headers.get("location"), issuer, hosts));
  // What Node itself refuses has neither type nor page.
  if (headers.get("content-type")?.includes("html")) faults.push(...pageFaults(outcome));
  else if (
    body !== "" &&
    headers.has("content-type") &&
    headers.get("x-content-type-options") !== "nosniff"
  ) {
    faults.push("a body whose type may be guessed");
  }
  return faults;
}

function redirectFaults(location: string | undefined, issuer: URL, hosts: ReadonlySet<string>): string[] {
  if (location === undefined) return [];
  if (!URL.canParse(location, issuer.href)) return [`a redirect to nowhere: ${location}`];
  const { host, protocol } = new URL(location, issuer);
  if (!/^https?:$/.test(protocol)) return [`a redirect to ${protocol}`];
  return hosts.has(host) ? [] : [`a redirect to ${host}`];
}

function pageFaults({ headers, body }: RawResponse): string[] {
  const faults: string[] = [];
  for (const [name, wanted] of Object.entries(requiredHeaders)) {
    const said = (headers.get(name) ?? "").replace(/;\s+/g, ";");
    if (!wanted.test(said)) faults.push(`${name} is ${said || "missing"}`);
  }
  for (const directive of (headers.get("content-security-policy") ?? "").split(";")) {
    const name = directive.trim().split(" ")[0] ?? "";
    if (!directives.has(name)) faults.push(`the policy has a directive ${name}`);
  }
  if (/x7q/.test(headers.get("content-security-policy") ?? "")) faults.push("the policy holds what was sent");
  const found = reflected.exec(body);
  if (found !== null)
    faults.push(`unescaped input: ${body.slice(Math.max(0, found.index - 60), found.index + 60)}`);
  // In an attribute's value the words are harmless: only a parser tells.
  if (body.includes("onx7q") && parse(body).querySelector("[onx7q]") !== null)
    faults.push("an attribute was injected");
  return faults;
}
