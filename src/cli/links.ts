/** `liaison links …`: who asked for which profile, and what became of it. */

import { createLinkAdmin } from "../admin/links.ts";
import type { Clock } from "../clock.ts";
import { asAccountId, asProfileId, idOrNone } from "../domain/ids.ts";
import { type LinksTarget, remoteLinks } from "./administration/remote-links.ts";
import { isRemote, remoteTarget, targetFlags } from "./administration/targets.ts";
import { type Call, type Command, type ExitCode, faultsOf, usageError } from "./command.ts";
import { instantFormat, printable, widthOf } from "./output.ts";
import { table } from "./table.ts";
import { limitOf, withStore } from "./with-store.ts";

/** The most that a broker lists at once. */
const largestPage = 200;

/** Makes the commands. */
export function linksCommands(clock: Clock): Command[] {
  return [listCommand(clock), showCommand(clock)];
}

function listCommand(clock: Clock): Command {
  return {
    name: "links list",
    section: "Administration",
    summary: "List what people asked for on the link step, newest first.",
    flags: {
      ...targetFlags,
      email: { takes: "ADDRESS", summary: "Those for the profiles with this registered address." },
      profile: { takes: "ID", summary: "Those for this profile." },
      account: { takes: "ID", summary: "Those of this account." },
      limit: { takes: "N", summary: "At most so many. Default: 50" },
      json: { summary: "Print one JSON object a line." },
    },
    examples: ["liaison links list", "liaison links list --email ann@northwind.example --json"],
    faults: (call) =>
      faultsOf(
        () => limitIn(call),
        () => isRemote(call),
      ),
    run: (call) => withLinks(call, clock, (links, timeZone) => list(call, links, timeZone)),
  };
}

function showCommand(clock: Clock): Command {
  return {
    name: "links show",
    section: "Administration",
    summary: "Tell what became of an inquiry and its requests, by the id of either.",
    operand: "ID",
    flags: { ...targetFlags, json: { summary: "Print one JSON object: { inquiry, code, entries: […] }." } },
    examples: ["liaison links show 4QrTzk0wJm9x3vYb2nLc7A"],
    faults: (call) =>
      faultsOf(
        () => idOf(call),
        () => isRemote(call),
      ),
    run: (call) => withLinks(call, clock, (links, timeZone) => show(call, links, timeZone)),
  };
}

/** Calls `work` with the links of the store, or of the broker that the command names. */
async function withLinks(
  call: Call,
  clock: Clock,
  work: (links: LinksTarget, timeZone: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (!isRemote(call)) {
    return await withStore(
      call,
      clock,
      (store, config) => work(createLinkAdmin({ ...store, clock }), config.deployment.time_zone),
      { create: false },
    );
  }
  const target = await remoteTarget(call);
  return await work(remoteLinks(target), target.timeZone);
}

async function list(call: Call, links: LinksTarget, timeZone: string): Promise<ExitCode> {
  const { flags, stdout } = call;
  const found = await links.list({
    email: flags.get("email"),
    profileId: idOrNone(asProfileId, flags.get("profile")),
    accountId: idOrNone(asAccountId, flags.get("account")),
    limit: limitIn(call),
  });
  if (flags.has("json")) {
    for (const inquiry of found) stdout.write(`${JSON.stringify(inquiry)}\n`);
    return 0;
  }
  const rows = found.map(({ id, createdAt, code, requester, settledAt, matched, heldUntil }) => ({
    id,
    asked: createdAt,
    code,
    by: `${requester.email ?? requester.displayName ?? requester.subject} (${requester.upstreamId})`,
    matched: settledAt === null ? (heldUntil === null ? "waits" : "held") : String(matched ?? "dismissed"),
  }));
  stdout.write(table(rows, { timeZone, empty: "Nobody asked for that.", width: widthOf(stdout) }));
  return 0;
}

async function show(call: Call, links: LinksTarget, timeZone: string): Promise<ExitCode> {
  const { flags, stdout } = call;
  const line = await links.show(idOf(call));
  if (flags.has("json")) {
    stdout.write(`${JSON.stringify(line)}\n`);
    return 0;
  }
  const { inquiry, code, entries } = line;
  const { email, displayName, subject, upstreamId } = inquiry.requester;
  stdout.write(`Code ${code}, asked by ${printable(email ?? displayName ?? subject)} at ${upstreamId}\n\n`);
  const format = instantFormat(timeZone);
  for (const { at, what, profileId, detail } of entries) {
    const rest = [profileId, detail].filter((one) => one !== null).join("  ");
    stdout.write(`${format(at)}  ${what.padEnd(15)}  ${printable(rest)}`.trimEnd());
    stdout.write("\n");
  }
  return 0;
}

function limitIn(call: Pick<Call, "flags">): number {
  const limit = limitOf(call, 50);
  if (call.flags.has("url") && limit > largestPage)
    throw usageError(`--limit takes at most ${largestPage} with --url.`);
  return limit;
}

function idOf({ operand }: Pick<Call, "operand">): string {
  if (operand === undefined) throw usageError("Name an inquiry or a request. See: liaison links list");
  return operand;
}
