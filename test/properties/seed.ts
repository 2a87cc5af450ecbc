/**
 * The seed of a full series. The same one each time, so that a change is judged by what it changed and not by
 * the draw; `SEED=7` takes another, `SEED=random` draws one. It is printed, to be seen again.
 */

import { randomInt } from "node:crypto";

export function chosenSeed(usual: number): number {
  const wish = process.env["SEED"];
  return wish === "random" ? randomInt(2 ** 31) : Number(wish ?? usual);
}
