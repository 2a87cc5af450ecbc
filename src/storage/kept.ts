/** Owns by how much an artifact must be kept longer for that to be written: the same in every back end. */

/** Whoever reckons when one ends, and does so again, comes to the same second or the next. Milliseconds. */
export const KEPT_LONGER_MS = 60_000;
