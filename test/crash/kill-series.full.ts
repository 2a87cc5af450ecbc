/** SIGKILL at every call of the journey, before it, within it and after it: the first half. */

import { killHalf } from "./kill-halves.ts";

killHalf(0);
