/** What every module of routes is given. */

import type { Config } from "../config/schema.ts";
import type { Pages } from "../ui/pages.ts";
import type { Site } from "../ui/views.ts";
import type { Upstreams } from "../upstream/upstreams.ts";
import type { BrowserBinding } from "./browser-binding.ts";
import type { Cookies } from "./cookies.ts";
import type { VisitorCosts } from "./costs/visitor-costs.ts";
import type { Csrf } from "./csrf.ts";
import type { EncryptedCookies } from "./encrypted-cookie.ts";
import type { SignedOutBrowsers } from "./signed-out.ts";

/** What every route module is given, beside the services of its own. */
export interface HttpDependencies {
  config: Pick<Config, "issuer" | "mail" | "linking" | "administration">;
  pages: Pages;
  site(): Promise<Site>;
  csrf: Csrf;
  encryptedCookies: EncryptedCookies;
  cookies: Cookies;
  binding: BrowserBinding;
  signedOut: SignedOutBrowsers;
  upstreams: Upstreams;
  costs: VisitorCosts;
}
