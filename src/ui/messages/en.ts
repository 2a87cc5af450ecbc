/**
 * The English catalogue, put together from its areas. ICU MessageFormat; names of people, portals and
 * organizations are always arguments. A branch of a plural holds at least one space, which is how the
 * compiler tells it from an argument.
 */

import { admin } from "./en-admin.ts";
import { adminPages } from "./en-admin-pages.ts";
import { common } from "./en-common.ts";
import { ends } from "./en-ends.ts";
import { help } from "./en-help.ts";
import { journey } from "./en-journey.ts";
import { linking } from "./en-linking.ts";
import { mail } from "./en-mail.ts";

export const en = {
  ...common,
  ...journey,
  ...linking,
  ...ends,
  ...help,
  ...mail,
  ...admin,
  ...adminPages,
} as const;
