/** `liaison version`. */

import { readFile } from "node:fs/promises";
import type { Command } from "./command.ts";
import { jsonLine } from "./output.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Print the version of Liaison and of Node.js.",
  flags: { json: { summary: "Print one JSON object." } },
  examples: ["liaison version", "liaison version --json"],
  async run({ flags, stdout }) {
    const manifest = await readFile(new URL("../../package.json", import.meta.url), "utf8");
    const { version } = JSON.parse(manifest) as { version: string };
    const node = process.versions.node;
    stdout.write(flags.has("json") ? jsonLine({ version, node }) : `liaison ${version} (Node.js ${node})\n`);
    return 0;
  },
};
