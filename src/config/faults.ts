/** Collects what is wrong with a configuration. No fault ever repeats a value: it may be a secret. */

import type { ConfigFault } from "../errors.ts";

/** The key of faults that are no key's. */
export const syntaxKey = "(syntax)";

export class Faults {
  readonly list: ConfigFault[] = [];
  /**
   * Whether a file was so broken that keys may have been lost in it; what is missing is not worth telling
   * then.
   */
  keysMayBeLost = false;

  /** What a line holds that is no valid YAML is guesswork: nothing more is said of it. */
  add(key: string, source: string, problem: string): void {
    if (this.list.some((fault) => fault.key === syntaxKey && fault.source === source)) return;
    this.list.push({ key, source, problem });
  }

  has(key: string): boolean {
    return this.list.some((fault) => fault.key === key);
  }
}

/**
 * Why a file can't be read. It isn't named: whoever writes a secret where a path belongs must find it printed
 * nowhere.
 */
export function unreadable(error: unknown, what = "the file it names"): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return `${what} doesn't exist`;
  if (code === "EACCES" || code === "EPERM") return `${what} may not be read by this user`;
  if (code === "EISDIR") return `${what} is a folder`;
  return `${what} can't be read (${code ?? "unknown error"})`;
}
