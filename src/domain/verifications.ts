/**
 * How many verifications of the audit are kept, and how they are told apart while they go on: the same
 * whatever keeps them.
 */

/** How many are kept: whatever is older and has ended goes. */
export const MOST_VERIFICATIONS = 50;

/** How many may wait or run at a time, each for another kept head. */
export const MOST_OPEN_VERIFICATIONS = 10;

/** What two verifications that go on may not have in common. */
export const openHeadOf = (keptHead: string | null) => `head:${keptHead ?? ""}`;
