/** Z1 over 48 simulated hours, every crowd by itself and all together, on the embedded back end. */

import { crowds, mailboxDays } from "../support/mailbox-days.ts";

mailboxDays([
  { crowd: crowds.spread, habit: "hourly" },
  { crowd: crowds.atTheHour, habit: "daily" },
  { crowd: crowds.claiming, habit: "hourly" },
  { crowd: crowds.fresh, habit: "daily" },
  { crowd: crowds.all, habit: "daily" },
  { crowd: crowds.all, habit: "hourly" },
]);
