/**
 * Hosts on loopback and private networks, to which Liaison posts nothing that a client registered unless the
 * operator's configuration names host and port (`private_hosts`): whoever may register clients can't reach
 * what stands beside the service.
 */

import { isIP } from "node:net";
import { isLoopback } from "./loopback.ts";
import { createNetworkTest } from "./networks.ts";

/**
 * What is no address of one host on the internet: the special-purpose registries of RFC 6890, with multicast.
 */
const isSpecial = createNetworkTest([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "100:0:0:1::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "2620:4f:8000::/48",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/9",
  "ff00::/8",
]);

/** Names that are given on a network of one's own alone (RFC 6761, 6762, 8375, and `internal` by ICANN). */
const privateNames = /(?:^|\.)(?:localhost|local|internal|home\.arpa|localdomain)$/;

/** Whether an IP address is on this machine, on a private network, or no address of one host at all. */
export function isPrivateAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, "");
  return isIP(plain) === 0 || isSpecial(plain);
}

/**
 * Whether a host, as `URL` spells it, can be private alone. A name that might be public is known when it is
 * resolved.
 */
function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return isPrivateAddress(host);
  return isLoopback(host) || privateNames.test(host) || !host.includes(".");
}

/** Host and port of an address as `private_hosts` names them: `portal.internal:443`, `[::1]:8080`. */
export function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port === "" ? (protocol === "http:" ? "80" : "443") : port}`;
}

/** Whether a text is an entry of `private_hosts`: a host as browsers spell it, and a port. */
export function isHostAndPort(text: string): boolean {
  if (!/^[^/?#@\\\s]+:[1-9]\d{0,4}$/.test(text)) return false;
  const url = URL.parse(`http://${text}`);
  return url !== null && hostAndPort(url) === text;
}

/** What is wrong with an address that Liaison is to post to; undefined for nothing. */
export function privateHostProblem(address: string, privateHosts: readonly string[]): string | undefined {
  const url = URL.parse(address);
  if (url === null || !isPrivateHost(url.hostname)) return undefined;
  const named = hostAndPort(url);
  return privateHosts.includes(named) ? undefined : privateHostRefusal(named);
}

/** How it is said that a host isn't posted to, and what to do about it. */
export function privateHostRefusal(named: string): string {
  return (
    `${named} is on this machine or a private network: whoever runs Liaison may name it in the ` +
    "configuration, under private_hosts"
  );
}
