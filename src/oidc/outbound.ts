/**
 * Posts to an address that a client registered: gives up when it is told to, follows no redirect, reads no
 * answer but its status, and connects to no loopback or private address unless host and port are allowed. The
 * name is resolved once, and what it resolved to is what is connected to, so that no second answer of a DNS
 * server can lead elsewhere.
 */

import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { hostAndPort, isPrivateAddress, privateHostRefusal } from "../domain/private-hosts.ts";

export interface OutboundPost {
  address: string;
  form: URLSearchParams;
  /** Whether it may be on loopback or a private network. */
  mayBePrivate: boolean;
  signal: AbortSignal;
}

/**
 * Returns the status of the answer.
 * @throws Error for a host that isn't allowed, and whatever the connection throws
 */
export async function postForm({ address, form, mayBePrivate, signal }: OutboundPost): Promise<number> {
  const url = new URL(address);
  const named = hostAndPort(url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!mayBePrivate && isIP(host) !== 0 && isPrivateAddress(host)) throw new Error(privateHostRefusal(named));
  const body = Buffer.from(form.toString());
  const options = {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "content-length": body.length,
      accept: "*/*",
    },
    // One connection for each: none is kept to an address that may be another host's by the next time.
    agent: false as const,
    signal,
    ...(mayBePrivate ? {} : { lookup: publicLookup(named) }),
  };
  return await new Promise<number>((resolve, reject) => {
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Resolves a name, and fails if any of its addresses is private. */
function publicLookup(named: string): LookupFunction {
  return (hostname, options: LookupOptions, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, "");
      const [first] = addresses;
      if (first === undefined || addresses.some(({ address }) => isPrivateAddress(address))) {
        return callback(new Error(privateHostRefusal(named)), "");
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
