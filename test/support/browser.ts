/**
 * A real Chromium for the tests. On Linux it comes inside an npm package, made for containers; elsewhere the
 * installed Chrome is used. What its package switches off for speed and the tests are about (same-origin
 * policy, mixed content) is switched on again.
 */

import packaged from "@sparticuz/chromium";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";

const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
] as const;

/**
 * Flags of the package that would make a test of browser security worth nothing, or several contexts unsafe.
 */
const unwanted: ReadonlySet<string> = new Set([
  "--disable-web-security",
  "--allow-running-insecure-content",
  "--single-process",
  "--no-zygote",
]);

async function launchOptions(): Promise<LaunchOptions> {
  if (process.platform !== "linux") return { channel: "chrome", args: [...quiet] };
  return {
    executablePath: await packaged.executablePath(),
    args: [...packaged.args.filter((argument) => !unwanted.has(argument)), ...quiet],
  };
}

/** Starts a browser, with more arguments if a test needs them; whoever starts it closes it. */
export async function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  const options = await launchOptions();
  return chromium.launch({ ...options, args: [...(options.args ?? []), ...more] });
}

/** Runs `use` with a browser of its own and closes it, whatever happens. */
export async function withBrowser<Result>(use: (browser: Browser) => Promise<Result>): Promise<Result> {
  const browser = await launchBrowser();
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}
