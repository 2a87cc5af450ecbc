/** `liaison config check`: finds every fault of a configuration without starting anything. */

import { loadConfig } from "../config/load.ts";
import { ConfigError, type ConfigFault } from "../errors.ts";
import { type Call, type Command, faultsOf, usageError } from "./command.ts";

interface Report {
  valid: boolean;
  faults: readonly ConfigFault[];
  warnings: readonly ConfigFault[];
}

export const configCheckCommand: Command = {
  name: "config check",
  summary: "Check a configuration, with the environment laid over it, and name every fault.",
  operand: "[FILE]",
  flags: {
    config: {
      takes: "FILE",
      summary:
        "The same as FILE, as other commands take it: a YAML file, or a folder of them. Default: config",
    },
    json: { summary: "Print one JSON object: { valid, faults, warnings }, each { key, source, problem }." },
  },
  examples: ["liaison config check config/liaison.yaml", "liaison config check --config /etc/liaison --json"],
  faults: (call) => faultsOf(() => fileOf(call)),
  async run(call) {
    const { flags, stdout } = call;
    const file = fileOf(call);
    const report = await check(file);
    stdout.write(flags.has("json") ? `${JSON.stringify(report)}\n` : describe(file, report));
    return report.valid ? 0 : 1;
  },
};

function fileOf({ flags, operand }: Pick<Call, "flags" | "operand">): string {
  const named = flags.get("config");
  if (named !== undefined && operand !== undefined && named !== operand) {
    throw usageError(`Name one configuration: ${operand}, or --config ${named}.`);
  }
  return operand ?? named ?? "config";
}

async function check(file: string): Promise<Report> {
  try {
    const { warnings } = await loadConfig({ file });
    return { valid: true, faults: [], warnings };
  } catch (error) {
    if (error instanceof ConfigError) return { valid: false, faults: error.faults, warnings: [] };
    throw error;
  }
}

function describe(file: string, { valid, faults, warnings }: Report): string {
  const lines = [
    valid ? `${file}: no faults` : `${file}: ${faults.length} ${faults.length === 1 ? "fault" : "faults"}`,
    ...faults.map(({ key, source, problem }) => `  ${key} (${source}): ${problem}`),
    ...warnings.map(({ key, source, problem }) => `  warning: ${key} (${source}): ${problem}`),
  ];
  return `${lines.join("\n")}\n`;
}
