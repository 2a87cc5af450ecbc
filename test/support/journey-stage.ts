/** What a file of journeys needs: a world and one browser for all its people; both, or neither. */

import type { Browser } from "playwright-core";
import { launchBrowser } from "./browser.ts";
import type { World } from "./journey-world.ts";

export interface Stage<Kind extends World> {
  world: Kind;
  browser: Browser;
  close(): Promise<void>;
}

export async function setStage<Kind extends World>(startWorld: () => Promise<Kind>): Promise<Stage<Kind>> {
  const browser = await launchBrowser();
  try {
    const world = await startWorld();
    const close = async () => {
      await browser.close();
      await world.close();
    };
    return { world, browser, close };
  } catch (error) {
    // A browser left behind would keep the test's process from ending.
    await browser.close();
    throw error;
  }
}
