/** `liaison import` beside a running service. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { aDeployment, aRow, csvOf } from "../support/import-fixture.ts";

describe("liaison import", () => {
  it("tells both addresses of a changed email, and nobody in a dry run", async () => {
    const deployment = await aDeployment();
    const file = join(deployment.folder, "rows.csv");
    try {
      await writeFile(file, csvOf([aRow()]));
      assert.equal((await deployment.import([file])).code, 0);
      assert.deepEqual(deployment.contents().mails, []);
      await writeFile(file, csvOf([aRow({ email: "anna@new.example" })]));
      assert.equal((await deployment.import([file, "--dry-run"])).code, 0);
      assert.deepEqual(deployment.contents().mails, []);
      assert.equal((await deployment.import([file])).code, 0);
      assert.deepEqual(
        deployment.contents().mails.map((mail) => ({ ...(mail as object) })),
        [
          { kind: "address_removed", recipient: "Anna.Berg@Contoso.example" },
          { kind: "address_added", recipient: "anna@new.example" },
        ],
      );
    } finally {
      await deployment.remove();
    }
  });
});
