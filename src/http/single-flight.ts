/**
 * Runs a piece of work once for all who ask for the same while it is under way: each of them gets what it
 * came to.
 */

export interface SingleFlight<Result> {
  /**
   * Starts `work` under `key`, or joins the one that is under way there. Throws what the work throws, to
   * everybody.
   */
  run(key: string, work: () => Promise<Result>): Promise<Result>;
}

export function createSingleFlight<Result>(): SingleFlight<Result> {
  const underWay = new Map<string, Promise<Result>>();
  return {
    run: (key, work) => {
      const known = underWay.get(key);
      if (known !== undefined) return known;
      const started = work().finally(() => underWay.delete(key));
      underWay.set(key, started);
      return started;
    },
  };
}
