/**
 * Ends what a test has started, the newest first. What hangs is named, and keeps nothing else from being
 * ended.
 */

const timeoutMs = 45_000;

export type Closer = () => Promise<unknown>;

/**
 * Ends everything in `closers` and empties it. @throws AggregateError naming each that failed or didn't end
 * in 45 seconds
 */
export async function closeAll(closers: Closer[]): Promise<void> {
  const faults: unknown[] = [];
  for (const close of closers.splice(0).reverse()) {
    try {
      await inTime(close);
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, faults.map(String).join("; "));
}

async function inTime(close: Closer): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not ended after ${timeoutMs} ms: ${close}`)), timeoutMs);
  });
  try {
    await Promise.race([close(), late]);
  } finally {
    clearTimeout(timer);
  }
}
