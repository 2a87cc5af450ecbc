/** Completion as shells have it: the script that is printed, in a shell that calls the command. */

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));
const run = promisify(execFile);
const shells = ["bash", "zsh", "fish"];

/** A reason to skip where a shell isn't installed. */
const lacks = (shell: string) =>
  spawnSync(shell, ["--version"]).error === undefined ? false : `there is no ${shell} here`;

/** Calls the function that the script registered as bash does on Tab, and prints what it replies. */
const askBash = `
source "$SCRIPTS/script.bash"
function=$(complete -p liaison | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_LINE=$1 COMP_POINT=\${#1}
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
$function liaison "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}" 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"
`;

describe("completion", { concurrency: 4 }, () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-completion-"));
    await writeFile(join(folder, "liaison"), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
    await chmod(join(folder, "liaison"), 0o755);
    await mkdir(join(folder, "work", "conf.d"), { recursive: true });
    await writeFile(join(folder, "work", "customers.csv"), "");
    env = { PATH: `${folder}:${process.env["PATH"]}`, SCRIPTS: folder };
    for (const shell of shells) {
      const { stdout } = await run(process.execPath, [bin, "completion", shell]);
      await writeFile(join(folder, `script.${shell}`), stdout);
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What bash is given for the last word of a line; it splits words at `=`, too. */
  async function inBash(line: string): Promise<string[]> {
    const words = line.split(/(=)| /).filter((word) => word !== undefined);
    const { stdout } = await run("bash", ["-c", askBash, "bash", line, ...words], {
      env,
      cwd: join(folder, "work"),
    });
    return stdout.split("\n").filter((word) => word !== "");
  }

  describe("in bash", { skip: lacks("bash"), concurrency: 4 }, () => {
    const cases: [string, string[]][] = [
      ["liaison or", ["orgs"]],
      ["liaison co", ["config", "copy", "completion"]],
      ["liaison orgs ", ["list", "create", "show", "edit"]],
      ["liaison audit ver", ["verifications", "verify"]],
      ["liaison links ", ["unlink", "list", "show"]],
      ["liaison help orgs cr", ["create"]],
      ["liaison orgs create --pl", ["--plan-status", "--plan-expires", "--plan"]],
      ["liaison orgs create --plan {} --pl", ["--plan-status", "--plan-expires"]],
      ["liaison serve --", ["--config", "--help"]],
      ["liaison orgs list --kind ", ["customer", "partner", "operator"]],
      ["liaison orgs list --kind p", ["partner"]],
      ["liaison orgs list --kind=c", ["customer"]],
      ["liaison mail list --state ", ["held", "queued", "failed", "bounced"]],
      ["liaison admin role p-kim --role aud", ["auditor"]],
      ["liaison audit export --format ", ["jsonl", "csv"]],
      ["liaison completion ", ["bash", "zsh", "fish"]],
      ["liaison orgs create --name ", []],
      ["liaison orgs list --name", []],
      ["liaison xylophone ", []],
      ["liaison serve --config con", ["conf.d/"]],
      ["liaison import cust", ["customers.csv"]],
      ["liaison orgs show $(touch planted)", []],
    ];
    for (const [line, words] of cases) {
      it(line, async () => {
        assert.deepEqual((await inBash(line)).toSorted(), words.toSorted());
        assert.equal(existsSync(join(folder, "work", "planted")), false);
      });
    }
  });

  for (const shell of shells) {
    it(`${shell} can read its script`, { skip: lacks(shell) }, async () => {
      await run(shell, ["-n", join(folder, `script.${shell}`)]);
    });
  }

  it("in fish, with what each is", { skip: lacks("fish") }, async () => {
    const ask = `source $SCRIPTS/script.fish; complete --do-complete "liaison orgs cr"`;
    const { stdout } = await run("fish", ["--no-config", "-c", ask], { env });
    assert.equal(stdout, "create\tAdd an organization.\n");
  });

  it("no other shell: 2", async () => {
    await assert.rejects(run(process.execPath, [bin, "completion", "tcsh"]), { code: 2 });
    await assert.rejects(run(process.execPath, [bin, "completion"]), { code: 2 });
  });
});
