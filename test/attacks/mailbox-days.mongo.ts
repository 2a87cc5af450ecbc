/**
 * Z1 over 48 simulated hours on MongoDB, on two brokers by turns: all crowds together; mailbox-days.full.ts
 * plays each by itself.
 */

import { crowds, mailboxDays } from "../support/mailbox-days.ts";

mailboxDays([
  { crowd: crowds.all, habit: "hourly" },
  { crowd: crowds.fresh, habit: "daily" },
]);
