/** Rows as a table for terminals: a line each, instants in the deployment's time zone. */

type Cell = string | number;

/** `number` cells are instants; those of the past and of the future are written the same. */
export function table(
  rows: readonly Readonly<Record<string, Cell>>[],
  { timeZone, empty }: { timeZone: string; empty: string },
): string {
  const [first] = rows;
  if (first === undefined) return `${empty}\n`;
  const format = instantFormat(timeZone);
  const names = Object.keys(first);
  const lines = [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) =>
      names.map((name) => {
        const cell = row[name] ?? "";
        return typeof cell === "number" ? format(cell) : printable(cell);
      }),
    ),
  ];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const write = (line: readonly string[]) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${lines.map(write).join("\n")}\n`;
}

/** Writes instants such as "2026-11-26 14:05:12". */
export function instantFormat(timeZone: string): (at: number) => string {
  const form = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  return (at) => form.format(at);
}

/** Names and replies come from elsewhere: no control character of theirs reaches a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}
