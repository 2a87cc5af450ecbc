/** The races of two-processes.test.ts for codes and refresh tokens, a hundred of each. */

import { after, before, describe, it } from "node:test";
import { raceForCodes, raceForRefreshTokens } from "./token-races.ts";
import { linkedBrowser, startTwoBrokers, type TwoBrokers } from "./two-brokers.ts";

const races = 100;
const seed = 1;

describe(`${races} races between two broker processes`, () => {
  let two: TwoBrokers;
  before(async () => {
    two = await startTwoBrokers();
  });
  after(() => two.close());

  it("for a code", async (test) => {
    const tally = await raceForCodes({ two, browser: await linkedBrowser(two), seed, races });
    test.diagnostic(JSON.stringify({ seed, ...tally }));
  });

  it("for a refresh token", async (test) => {
    const tally = await raceForRefreshTokens({ two, browser: await linkedBrowser(two), seed, races });
    test.diagnostic(JSON.stringify({ seed, ...tally }));
  });
});
