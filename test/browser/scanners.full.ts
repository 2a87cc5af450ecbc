/** Every kind of scanner. */

import { scannerSuite } from "../support/scanners.ts";

scannerSuite(() => true);
