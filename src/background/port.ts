/**
 * The background at the other end of a message port: does what it is told through it, and tells what it
 * finds.
 */

import type { MessagePort } from "node:worker_threads";
import type { Finding } from "../readiness.ts";
import { type BackgroundDeps, createBackground } from "./background.ts";
import { type FromBackground, type ToBackground, tellEveryMs } from "./thread.ts";

/**
 * Runs the background until it is told to close; its store is closed with it. Rejects where it can't be made.
 */
export async function runBackground(port: MessagePort, deps: BackgroundDeps): Promise<void> {
  const tell = (message: FromBackground) => port.postMessage(message);
  const background = await createBackground(deps);

  async function tellFindings(): Promise<void> {
    const found = background.checks.map(
      async ({ name, look }): Promise<[string, Finding]> => [name, await look()],
    );
    tell({ kind: "found", findings: Object.fromEntries(await Promise.all(found)) });
  }

  const closed = new Promise<void>((resolve) => {
    port.on("message", async (message: ToBackground) => {
      if (message.kind === "wake") background.wake(message.worker);
      else if (message.kind === "count") background.count(message.one);
      else if (message.kind === "stop") await background.stop().then(() => tell({ kind: "stopped" }));
      else resolve();
    });
  });
  await background.start();
  await tellFindings();
  tell({ kind: "running" });
  const telling = setInterval(tellFindings, tellEveryMs);
  await closed;
  clearInterval(telling);
  await background.close();
  await deps.store.close();
  port.close();
}
