/** What is allowed but should be known to whoever runs the service. */

import type { ConfigFault } from "../errors.ts";
import type { Config } from "./schema.ts";

/** A warning for every setting that weakens something, each with the key and what it means. */
export function warningsOf(config: Config): Omit<ConfigFault, "source">[] {
  const warnings: Omit<ConfigFault, "source">[] = [];
  if (isPlainRemote(config.issuer)) {
    warnings.push({ key: "issuer", problem: "is http: sign-ins and cookies travel unencrypted; use https" });
  }
  const { smtp } = config.mail;
  if (smtp.security === "none" && !isLoopback(smtp.host)) {
    const problem = "is none for a server that isn't on this machine: mailed links travel unencrypted";
    warnings.push({ key: "mail.smtp.security", problem });
  }
  for (const upstream of config.upstreams) {
    if (upstream.reauthentication === "prompt_only") {
      const problem =
        "is prompt_only: a fresh sign-in before linking is asked for, but nothing shows that it took place";
      warnings.push({ key: `upstreams.${upstream.id}.reauthentication`, problem });
    }
    if (isPlainRemote(upstream.issuer)) {
      warnings.push({
        key: `upstreams.${upstream.id}.issuer`,
        problem: "is http: whoever sits between can sign in as anybody",
      });
    }
  }
  for (const portal of config.portals) {
    if (!portal.pkce_required) {
      warnings.push({
        key: `portals.${portal.id}.pkce_required`,
        problem: "is false: this portal's codes aren't bound to it",
      });
    }
  }
  return warnings;
}

function isPlainRemote(address: string): boolean {
  const url = new URL(address);
  return url.protocol === "http:" && !isLoopback(url.hostname);
}

function isLoopback(host: string): boolean {
  return (
    host === "localhost" ||
    host.endsWith(".localhost") ||
    host === "[::1]" ||
    host === "::1" ||
    /^127(\.\d+){3}$/.test(host)
  );
}
