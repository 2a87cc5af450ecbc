/**
 * What of the intentions (src/storage/intentions) was carried out in this process, as V8 counts it
 * (https://chromedevtools.github.io/devtools-protocol/v8/Profiler/): begun before they are loaded.
 */

import { readdirSync, readFileSync } from "node:fs";
import { type Profiler, Session } from "node:inspector";
import { fileURLToPath } from "node:url";

const folder = new URL("../../src/storage/intentions/", import.meta.url);

/** Begins to count. Returns what says which parts of the intentions were never come by, by file and line. */
export function countCarriedOut(): () => { place: string; text: string }[] {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  return () => {
    let scripts: Profiler.ScriptCoverage[] = [];
    session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    session.disconnect();
    const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
    return files.flatMap((name) => {
      const url = new URL(name, folder).href;
      const source = readFileSync(fileURLToPath(url), "utf8");
      const script = scripts.find((one) => one.url === url);
      if (script === undefined) return [{ place: name, text: source }];
      const ranges = script.functions.flatMap((one) => one.ranges.filter(({ count }) => count === 0));
      return ranges.map(({ startOffset, endOffset }) => {
        const line = source.slice(0, startOffset).split("\n").length;
        return { place: `${name}:${line}`, text: source.slice(startOffset, endOffset) };
      });
    });
  };
}
