/**
 * The bound of waits: how far ahead anything that waits can lie. What lies further was put there before a
 * clock was set back.
 */

/**
 * By how much the clocks of several brokers may differ, in milliseconds: what one of them stores may be so
 * far ahead.
 */
export const SKEW_MS = 10_000;

/** The longest that anything is put off before it is looked at again, in milliseconds. */
export const LONGEST_WAIT_MS = 3_600_000;

/** The longest that a worker holds what it has claimed, in milliseconds. */
export const LONGEST_LEASE_MS = 60_000;
