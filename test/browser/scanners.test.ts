/** The quick kinds of scanners; npm run test:full plays all of them. */

import { scannerSuite } from "../support/scanners.ts";

scannerSuite((kind) => /^(GET|POST|prefetch|a proxy)/.test(kind));
