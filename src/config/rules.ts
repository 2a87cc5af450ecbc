/** What rules over several values of the configuration rest on, in whichever part of its schema. */

/** They run beside other faults too, so that all come out at once; they see unchecked values then. */
export const evenIfOtherwiseFaulty = {
  when: ({ value }: { value: unknown }) => typeof value === "object" && value !== null,
};

/** Whether there is one: an optional key, and one that is null, have none. */
export const isPresent = (value: unknown): boolean => value !== undefined && value !== null;
