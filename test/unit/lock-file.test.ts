/** The lock file says of every package what its bytes are, of those for other machines than this one, too. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";

interface Locked {
  version?: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
}

it("every package has a hash of its bytes, and none names a host that it came from", () => {
  const file = new URL("../../package-lock.json", import.meta.url);
  const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, Locked> };
  const installed = Object.entries(packages).filter(([path]) => path !== "");
  assert.ok(installed.length > 100);
  const without = installed.filter(([, { integrity = "" }]) => !/^sha512-[\w+/]{86}==$/.test(integrity));
  assert.deepEqual(
    without.map(([path]) => path),
    [],
  );
  assert.deepEqual(
    installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    [],
  );
});
