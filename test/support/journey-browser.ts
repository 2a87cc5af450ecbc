/** What a file of journeys needs: a deployment and one browser for all its people; both, or neither. */

import type { Browser } from "playwright-core";
import { launchBrowser } from "./browser.ts";
import type { JourneyDeployment } from "./journey-deployment.ts";

export interface SharedBrowser<Kind extends JourneyDeployment> {
  deployment: Kind;
  browser: Browser;
  close(): Promise<void>;
}

export async function shareBrowser<Kind extends JourneyDeployment>(
  startJourneyDeployment: () => Promise<Kind>,
): Promise<SharedBrowser<Kind>> {
  const browser = await launchBrowser();
  try {
    const deployment = await startJourneyDeployment();
    const close = async () => {
      await browser.close();
      await deployment.close();
    };
    return { deployment, browser, close };
  } catch (error) {
    // A browser left behind would keep the test's process from ending.
    await browser.close();
    throw error;
  }
}
