/** Z10 at its full size; linking-crowds.test.ts plays a smaller one. */

import { crowdedNetwork } from "../support/crowded-network.ts";

crowdedNetwork(1000);
