/**
 * Networks of addresses, and which of several hops of a forwarded request is the client: trust ends at the
 * first stranger.
 */

import { BlockList, isIP, SocketAddress } from "node:net";

/** Whether a text names one address, or a network as address and prefix length (RFC 4632, RFC 4291). */
export function isNetwork(text: string): boolean {
  return networkOf(text) !== undefined;
}

/**
 * Returns whether an address lies in one of the networks. @throws RangeError for a text that `isNetwork`
 * refuses
 */
export function createNetworkTest(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const text of networks) {
    const network = networkOf(text);
    if (network === undefined) throw new RangeError(`no network: ${text}`);
    list.addSubnet(network.address, network.prefix, network.family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

/**
 * The client's address: the peer's own, unless a trusted proxy says whom it speaks for.
 * @param peer the other end of the connection
 * @param forwardedFor X-Forwarded-For; each proxy adds its own peer at the right, so that what clients write
 *   is at the left
 * @returns the rightmost hop that isn't trusted itself, in canonical form; never anything left of it
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string {
  let client = canonical(peer ?? "");
  if (client === undefined) return "unknown";
  const hops = (forwardedFor ?? "").split(",");
  while (isTrusted(client)) {
    const hop = canonical(hops.pop()?.trim() ?? "");
    if (hop === undefined) break;
    client = hop;
  }
  return client;
}

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 address, within which a client picks its
 * own at will.
 * @param address in canonical form, or what stands for an unknown one
 */
export function clientNetwork(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - groups.length - behind.length }, () => "0");
  return `${[...groups, ...zeros, ...behind].slice(0, 4).join(":")}::/64`;
}

/** One spelling of an address: IPv4 also where it is mapped into IPv6, without zone, brackets and port. */
function canonical(text: string): string | undefined {
  const host =
    /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? (/^[\d.]+:\d+$/.test(text) ? text.split(":")[0] : text);
  const address = withoutMapping(host?.split("%")[0] ?? "");
  const version = isIP(address);
  if (version === 0) return undefined;
  // Of IPv4 there is one spelling that is taken at all.
  if (version === 4) return address;
  return withoutMapping(new SocketAddress({ address, family: "ipv6" }).address);
}

function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/, "");
}

function networkOf(text: string): { address: string; prefix: number; family: "ipv4" | "ipv6" } | undefined {
  const [address = "", length, ...rest] = text.split("/");
  if (isIP(address) === 0 || address.includes("%") || rest.length > 0) return undefined;
  const family = familyOf(address);
  const longest = family === "ipv4" ? 32 : 128;
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = length === undefined ? longest : Number(length);
  return prefix <= longest ? { address, prefix, family } : undefined;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
