/** Runs the cases of the general steps against SQLite's engine. */

import { openEngine } from "./sqlite-engine.ts";
import { temporaryFile } from "./sqlite-support.ts";
import { stepCases } from "./steps.ts";

stepCases({
  name: "sqlite",
  async open() {
    const file = temporaryFile();
    await (await file.open()).close();
    const opened = [openEngine(file.file)];
    const [first] = opened;
    if (first === undefined) throw new Error("no engine");
    return {
      engine: first.engine,
      async second() {
        const other = openEngine(file.file);
        opened.push(other);
        return other.engine;
      },
      async destroy() {
        for (const { close } of opened) close();
        await file.destroy();
      },
    };
  },
});
