/** The seed of a full series: another one each time, unless `SEED` names one that is to be seen again. */

import { randomInt } from "node:crypto";

export function chosenSeed(): number {
  return Number(process.env["SEED"] ?? randomInt(2 ** 31));
}
