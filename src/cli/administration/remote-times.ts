/** Instants as a broker writes them. */

import type { Instant } from "../../clock.ts";

export const time = (text: string): Instant => Date.parse(text);
export const timeOrNull = (text: string | null) => (text === null ? null : time(text));
