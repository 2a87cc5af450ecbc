/**
 * Every page of the administration by its name: pure functions of the deployment, who looks, and the page's
 * own data.
 */

import { administrators, audit, keys } from "./console/access.ts";
import { accountList, accountPage, linkList, linkPage, mailList } from "./console/accounts-links-mails.ts";
import { apiPage } from "./console/api-page.ts";
import { clientList, clientPage, clientPreset } from "./console/clients.ts";
import { organizationList, organizationPage, peopleList, personPage } from "./console/directory.ts";
import { consoleLost, consoleSignedOut, notAdministrator } from "./console/ends.ts";
import { confirmPage, formPage, refusalPage } from "./console/forms.ts";
import { overview } from "./console/overview.ts";
import { verifications } from "./console/verifications.ts";
import { why } from "./console/why.ts";

export const consolePages = {
  overview,
  clientList,
  clientPreset,
  clientPage,
  organizationList,
  organizationPage,
  peopleList,
  personPage,
  accountList,
  accountPage,
  linkList,
  linkPage,
  mailList,
  why,
  administrators,
  keys,
  audit,
  verifications,
  formPage,
  confirmPage,
  refusalPage,
  notAdministrator,
  consoleSignedOut,
  consoleLost,
  apiPage,
};
