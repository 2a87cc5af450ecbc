/** A rate limit: at most `limit` in a window of so many seconds. */
export interface Limit {
  limit: number;
  windowSeconds: number;
}
