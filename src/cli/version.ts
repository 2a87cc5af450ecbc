/** `liaison version`. */

import { readFile } from "node:fs/promises";
import type { Command } from "./command.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Print the version of Liaison and of Node.js.",
  flags: {},
  examples: ["liaison version"],
  async run({ stdout }) {
    const manifest = await readFile(new URL("../../package.json", import.meta.url), "utf8");
    const { version } = JSON.parse(manifest) as { version: string };
    stdout.write(`liaison ${version} (Node.js ${process.versions.node})\n`);
    return 0;
  },
};
