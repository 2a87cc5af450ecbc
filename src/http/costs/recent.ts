/**
 * A map of what was set last: two generations, of which the older goes whole when the newer is full. So a
 * crowd of strangers with a key each neither fills the memory nor makes forgetting slow.
 */

export interface Recent<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/** @param remembered how many keys are kept at the most; the half of it that was set last always is */
export function createRecent<Value>(remembered: number): Recent<Value> {
  const half = Math.max(1, Math.floor(remembered / 2));
  let newer = new Map<string, Value>();
  let older = new Map<string, Value>();
  return {
    get: (key) => newer.get(key) ?? older.get(key),
    set(key, value) {
      newer.set(key, value);
      if (newer.size < half) return;
      older = newer;
      newer = new Map();
    },
  };
}
