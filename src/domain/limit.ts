/** A rate limit: at most `limit` in a window of so many seconds. */

import type { Seconds } from "../clock.ts";

export interface Limit {
  limit: number;
  windowSeconds: Seconds;
}
