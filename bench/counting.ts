/**
 * What counting a request in memory costs: our windows and pace beside rate-limiter-flexible's memory
 * limiter, for one client and for a crowd of them (docs/decisions/0017).
 *
 *   npm install --no-save rate-limiter-flexible@11.4.0 && npx node --expose-gc bench/counting.ts
 */

import { setImmediate as turn } from "node:timers/promises";
import { createPace } from "../src/http/costs/pace.ts";
import { createWindows } from "../src/http/costs/windows.ts";

const counts = 1_000_000;
const clients = { one: 1, "a crowd": 200_000 };

interface Limiter {
  consume(key: string): Promise<unknown>;
}
const library = "rate-limiter-flexible";
const { RateLimiterMemory } = (await import(library)) as {
  RateLimiterMemory: new (options: { points: number; duration: number }) => Limiter;
};

function ways(): Record<string, (key: string) => unknown> {
  const windows = createWindows(20_000);
  const limit = { limit: 1e9, windowSeconds: 300 };
  const pace = createPace({
    limit,
    longestWaitMs: 4000,
    remembered: 50_000,
    elapsed: () => performance.now(),
  });
  const limiter = new RateLimiterMemory({ points: 1e9, duration: 300 });
  return {
    windows: (key) => {
      windows.at(key, 300, Date.now()).count += 1;
    },
    pace: (key) => pace.take(key),
    [library]: (key) => limiter.consume(key),
  };
}

for (const [crowd, size] of Object.entries(clients)) {
  for (const name of Object.keys(ways())) {
    // Each with a memory of its own.
    const count = ways()[name];
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const begun = performance.now();
    for (let index = 0; index < counts; index += 1) {
      await count?.(`192.0.2.${index % size}`);
      if (index % 10_000 === 0) await turn();
    }
    const ns = ((performance.now() - begun) / counts) * 1e6;
    globalThis.gc?.();
    const megabytes = (process.memoryUsage().heapUsed - before) / 1e6;
    console.log(
      `${crowd.padEnd(8)} ${name.padEnd(22)} ${ns.toFixed(0).padStart(6)} ns each  ` +
        `${megabytes.toFixed(1).padStart(6)} MB kept`,
    );
  }
}
process.exit();
