/** Form-encoded parameters by their names, where one may be given more than once. */

/**
 * The values of each name, in the order in which they came: in one pass, however many names somebody thinks
 * of.
 */
export function valuesByName(parameters: URLSearchParams): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of parameters) {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return values;
}
