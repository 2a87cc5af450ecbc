/** Which hosts are this machine, and so which addresses may be spoken to without encryption. */

/**
 * Whether a host, as configured or as `URL` spells it, is this machine and no other (RFC 8252, section 7.3,
 * and RFC 6761, section 6.3). Nothing is resolved.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return name === "::1" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** Whether what is sent to an address can't be read on its way: https, or http on this machine. */
export function isEncryptedOrLocal(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}
