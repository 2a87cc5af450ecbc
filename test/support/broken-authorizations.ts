/** Authorization headers that say nobody's key, or a key otherwise than RFC 6750 has it. */

/** @param token a key that holds */
export function brokenAuthorizations(token: string): (string | undefined)[] {
  const [prefix, secret] = [token.slice(0, "liaison_".length), token.slice("liaison_".length)];
  return [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer null",
    `Bearer ${prefix}`,
    `Bearer ${prefix}${"A".repeat(43)}`,
    `Bearer ${secret}`,
    `Basic ${btoa(`${token}:`)}`,
    `Basic ${btoa(`key:${token}`)}`,
    token,
    `Token ${token}`,
    `Bearer ${token}A`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer "${token}"`,
    `Bearer ${token.toLowerCase()}`,
    `Bearer ${"A".repeat(7000)}`,
  ];
}
