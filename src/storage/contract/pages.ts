/** Lists of any length, as every back end gives them: a page at a time. */

/** A part of a list: what follows `after`, the `next` of the page before. */
export interface PageRequest {
  after: string | null;
  /** At most so many. */
  limit: number;
}

/**
 * What a list holds there. `next` is null at the end; a page may hold fewer than asked for, or none, and yet
 * have one, because no more than a bounded number of records is looked at for one page. Throws `bad_request`
 * for an `after` that it never gave.
 */
export interface Page<T> {
  items: T[];
  next: string | null;
}
