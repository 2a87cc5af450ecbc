/** What the page shows on which a profile is chosen. */

import type { Page } from "./user-agent.ts";

/** Each choice: the profile, whether it is checked, and what is said of it. */
export function marks(page: Page): (string | null)[][] {
  return page.dom
    .querySelectorAll("label.radio")
    .map((label) => [
      label.querySelector("input")?.getAttribute("value") ?? null,
      label.querySelector("input")?.hasAttribute("checked") ? "checked" : null,
      label.querySelector(".mark")?.text ?? null,
    ]);
}
