/** Z1 at its full size; floods.test.ts plays a smaller one. */

import { mailboxFlood } from "../support/mailbox-flood.ts";

mailboxFlood(1000);
