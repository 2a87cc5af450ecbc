/** What is allowed but should be known to whoever runs the service. */

import { isEncryptedOrLocal, isLoopback } from "../domain/loopback.ts";
import type { ConfigFault } from "../errors.ts";
import type { Config, UpstreamConfig } from "./schema.ts";

/** A warning for every setting that weakens something, each with the key and what it means. */
export function warningsOf(config: Config): Omit<ConfigFault, "source">[] {
  const warnings: Omit<ConfigFault, "source">[] = [];
  if (!isEncryptedOrLocal(new URL(config.issuer))) {
    warnings.push({ key: "issuer", problem: "is http: sign-ins and cookies travel unencrypted; use https" });
  }
  const { smtp } = config.mail;
  if (smtp.security === "none" && !isLoopback(smtp.host)) {
    const problem = "is none for a server that isn't on this machine: mailed links travel unencrypted";
    warnings.push({ key: "mail.smtp.security", problem });
  }
  const { resend_after_seconds: pause, lookup_delay_seconds: delay } = config.linking;
  if (pause < delay.max) {
    const problem =
      `is less than lookup_delay_seconds.max (${delay.max}), which is cut to it: the shorter that is, ` +
      "the more the service's pulse tells";
    warnings.push({ key: "linking.resend_after_seconds", problem });
  }
  const { mongodb } = config.storage;
  if (mongodb !== undefined && !isPrivateConnection(mongodb.url)) {
    const problem =
      "has no tls=true: what the database holds travels unencrypted; use TLS, or servers on this machine";
    warnings.push({ key: "storage.mongodb.url", problem });
  }
  for (const upstream of config.upstreams) {
    warnings.push(...quirkWarnings(upstream));
    if (upstream.reauthentication === "prompt_only") {
      const problem =
        "is prompt_only: a fresh sign-in before linking is asked for, but nothing shows that it took place";
      warnings.push({ key: `upstreams.${upstream.id}.reauthentication`, problem });
    }
  }
  warnings.push(...sharedHosts(config));
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

/** What an upstream's quirks leave open. */
function quirkWarnings({ id, quirks, ...upstream }: UpstreamConfig): Omit<ConfigFault, "source">[] {
  const key = `upstreams.${id}.quirks`;
  const has = (quirk: UpstreamConfig["quirks"][number]) => quirks.includes(quirk);
  const asksByPrompt = !has("no_prompt_login") || "prompt" in upstream.authorize_parameters;
  const asksByAge = !has("no_max_age") && upstream.reauthentication === "auth_time";
  const problems: string[] = [];
  if (!asksByPrompt && !asksByAge) problems.push("nothing asks for a fresh sign-in before linking");
  if (has("no_nonce") && has("no_pkce")) {
    problems.push("has no_nonce and no_pkce: a code that is stolen on its way can be used by the thief");
  }
  return problems.map((problem) => ({ key, problem }));
}

/**
 * What else is configured to be under the broker's host name. Browsers send cookies to every port of a host
 * (RFC 6265, section 8.5), so whatever listens there is sent ours. On loopback, where things are tried out,
 * everything is.
 */
function sharedHosts(config: Config): Omit<ConfigFault, "source">[] {
  const issuer = new URL(config.issuer);
  if (isLoopback(issuer.hostname)) return [];
  const isBeside = (address: string | null | undefined) => {
    if (typeof address !== "string" || !URL.canParse(address)) return false;
    const { hostname, origin } = new URL(address);
    return hostname === issuer.hostname && origin !== issuer.origin;
  };
  const problem =
    `is under the host name of the issuer (${issuer.hostname}), on another port: browsers send it this ` +
    "service's cookies; " +
    "give it a host name of its own";
  const upstreams = config.upstreams.flatMap(({ id, issuer: address }) =>
    isBeside(address) ? [{ key: `upstreams.${id}.issuer`, problem }] : [],
  );
  const portals = config.portals.flatMap(({ id, home_url, redirect_uris, backchannel_logout_uri }) => {
    const addresses = {
      home_url: [home_url],
      redirect_uris,
      backchannel_logout_uri: [backchannel_logout_uri],
    };
    const [key] = Object.entries(addresses).find(([, ofKey]) => ofKey.some(isBeside)) ?? [];
    return key === undefined ? [] : [{ key: `portals.${id}.${key}`, problem }];
  });
  return [...upstreams, ...portals];
}

/**
 * Whether a MongoDB connection string asks for TLS (as mongodb+srv does by itself) or names this machine
 * alone.
 */
function isPrivateConnection(url: string): boolean {
  const [, scheme = "", hosts = "", query = ""] =
    /^(mongodb(?:\+srv)?):\/\/(?:[^@/]*@)?([^/?]*)[^?]*\??(.*)$/.exec(url) ?? [];
  const options = new URLSearchParams(query.toLowerCase());
  const tls = options.get("tls") ?? options.get("ssl");
  if (tls !== null) return tls === "true";
  return scheme === "mongodb+srv" || hosts.split(",").every((host) => isLoopback(host.replace(/:\d+$/, "")));
}
