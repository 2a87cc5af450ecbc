/** The least by which an artifact's expiry is moved on: the same in every back end. */

/** Whoever reckons when one ends, and does so again, comes to the same second or the next. Milliseconds. */
export const LEAST_EXTENSION_MS = 60_000;
