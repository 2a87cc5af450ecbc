/** Z10 with a hundred newcomers; linking-crowds.full.ts has a thousand. */

import { crowdedNetwork } from "../support/crowded-network.ts";

crowdedNetwork(100);
