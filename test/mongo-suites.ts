/**
 * `npm run test:mongo [FILE …]`: starts a replica set and runs the suites that need one, those named or all,
 * with its connection string in the environment. Suites that kill members start a set of their own.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { keepCompiled } from "./support/compile-cache.ts";
import { fetchMongod, findMongod, noMongod } from "./support/mongod.ts";
import { startReplicaSet } from "./support/replica-set.ts";
import { SHARED_SET } from "./support/test-database.ts";

/**
 * Suites that run on whichever back end there is: here with two applications, each request at the next of
 * them.
 */
const journeys = [
  "test/e2e/{admin-api,admin-api-people,audit-verification,journey,sessions}.test.ts",
  "test/e2e/{sign-out,store-operations}.test.ts",
  "test/attacks/{administration,administration-roles,administrators,authorize,cross-site}.test.ts",
  "test/attacks/{linking-*,planted-*,rows-of-strangers}.test.ts",
  "test/attacks/{selections,selections-administration,sessions,tokens}.test.ts",
  "test/browser/journey*.test.ts",
];

async function main(patterns: readonly string[]): Promise<number> {
  const mongod =
    findMongod(process.env) ?? (process.env["MONGOD_DOWNLOAD"] === "1" ? await fetchMongod() : undefined);
  if (mongod === undefined) {
    process.stderr.write(`test:mongo: ${noMongod}\n`);
    return 1;
  }
  process.env["MONGOD_BINARY"] = mongod;
  keepCompiled();
  const [version] = execFileSync(mongod, ["--version"], { encoding: "utf8" }).split("\n");
  process.stdout.write(`${version} (${mongod})\n`);
  let child: ChildProcess | undefined;
  let isStopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      isStopped = true;
      child?.kill(signal);
    });
  }
  const set = await startReplicaSet();
  try {
    if (isStopped) return 1;
    const suites = patterns.length > 0 ? patterns : ["test/**/*.mongo.ts", ...journeys];
    const options = ["--test", "--test-force-exit", "--test-concurrency=1", "--test-timeout=900000"];
    child = spawn(process.execPath, [...options, ...suites], {
      stdio: "inherit",
      env: { ...process.env, [SHARED_SET]: set.url },
    });
    const [code] = await once(child, "exit");
    return code ?? 1;
  } finally {
    await set.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
