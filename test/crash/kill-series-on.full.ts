/** SIGKILL at every call of the journey, before it, within it and after it: the second half. */

import { killHalf } from "./kill-halves.ts";

killHalf(1);
