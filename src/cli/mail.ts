/** `liaison mail …`: mails that wait, failed or came back. What is done about them is admin/mail's. */

import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import {
  createMailAdmin,
  LARGEST_NOTIFICATION,
  LISTED_STATES,
  listMail,
  readNotification,
} from "../admin/mail.ts";
import type { Clock } from "../clock.ts";
import { BodyTooLarge, readBody } from "../read-body.ts";
import { requireStore } from "../storage/open.ts";
import { type MailTarget, remoteMail } from "./administration/remote-mail.ts";
import { isRemote, remoteTarget, targetFlags } from "./administration/targets.ts";
import { type Call, type Command, type ExitCode, faultsOf, usageError } from "./command.ts";
import { printable, widthOf } from "./output.ts";
import { table } from "./table.ts";
import { configFlag, configOf, limitOf, withStore, withStoreOf } from "./with-store.ts";

/** Makes the commands. `stdin` is called when one reads it. */
export function mailCommands({ clock, stdin }: { clock: Clock; stdin(): Readable }): Command[] {
  return [
    listCommand(clock),
    requeueCommand(clock, "release", "Send a held mail next, past its limits."),
    requeueCommand(clock, "resend", "Send a mail once more that was given up."),
    {
      name: "mail bounce",
      section: "Administration",
      summary:
        "Note a delivery status notification (RFC 3464) from standard input, for a mail server's pipe.",
      flags: { config: configFlag },
      examples: [
        "liaison mail bounce --config /etc/liaison < notification.eml",
        'bounces: "|/usr/bin/liaison mail bounce --config /etc/liaison"     # a line of /etc/aliases',
      ],
      // Of any other code a mail server tells whoever wrote, and the notification is lost.
      failsWith: 75,
      run: (call) => noteBounce(call, clock, stdin()),
    },
  ];
}

function listCommand(clock: Clock): Command {
  return {
    name: "mail list",
    section: "Administration",
    summary: "List mails that are held, were put off (queued), given up or came back, newest first.",
    flags: {
      ...targetFlags,
      state: { takes: LISTED_STATES.join("|"), summary: "Those of one state. Default: all of them." },
      limit: { takes: "N", summary: "At most so many. Default: 50" },
      json: { summary: "Print one JSON object a line." },
    },
    examples: ["liaison mail list", "liaison mail list --state failed --json"],
    faults: (call) =>
      faultsOf(
        () => statesOf(call),
        () => limitOf(call, 50),
        () => isRemote(call),
      ),
    run: (call) => withMail(call, clock, (mail, timeZone) => list(call, mail, timeZone)),
  };
}

async function list(call: Call, mail: MailTarget, timeZone: string): Promise<ExitCode> {
  const { flags, stdout } = call;
  const found = await mail.list(statesOf(call), limitOf(call, 50));
  if (flags.has("json")) {
    for (const delivery of found) stdout.write(`${JSON.stringify(delivery)}\n`);
    return 0;
  }
  const rows = found.map(({ id, createdAt, state: now, kind, to, lastError, bounce, nextAttemptAt }) => ({
    id,
    created: createdAt,
    state: now,
    kind: kind ?? "",
    to,
    why: now === "held" ? nextAttemptAt : (bounce ?? lastError ?? ""),
  }));
  const empty = "No mail is held, put off, failed or bounced.";
  stdout.write(table(rows, { timeZone, empty, width: widthOf(stdout) }));
  return 0;
}

function requeueCommand(clock: Clock, word: "release" | "resend", summary: string): Command {
  return {
    name: `mail ${word}`,
    section: "Administration",
    summary,
    operand: "ID",
    flags: targetFlags,
    examples: [`liaison mail ${word} 4QrTzk0wJm9x3vYb2nLc7A`],
    faults: (call) =>
      faultsOf(
        () => idOf(call),
        () => isRemote(call),
      ),
    run: (call) =>
      withMail(call, clock, async (mail) => {
        const { id, to } = await mail[word](idOf(call));
        call.stdout.write(`${id} to ${to} is sent next.\n`);
        return 0;
      }),
  };
}

/** Calls `work` with the mail of the store, or of the broker that the command names. */
async function withMail(
  call: Call,
  clock: Clock,
  work: (mail: MailTarget, timeZone: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (isRemote(call)) {
    const target = await remoteTarget(call);
    return await work(remoteMail(target), target.timeZone);
  }
  return await withStore(
    call,
    clock,
    (store, config) => {
      const { outbox } = store;
      const list: MailTarget["list"] = (states, limit) => listMail(store, states, limit);
      const target = { ...createMailAdmin({ outbox, clock, actor: "command:mail" }), list };
      return work(target, config.deployment.time_zone);
    },
    { create: false },
  );
}

function idOf({ operand }: Pick<Call, "operand">): string {
  if (operand === undefined) throw usageError("Name a mail by its id. See: liaison mail list");
  return operand;
}

function statesOf({ flags }: Pick<Call, "flags">): (typeof LISTED_STATES)[number][] {
  const state = flags.get("state");
  const asked = LISTED_STATES.filter((one) => state === undefined || one === state);
  if (asked.length === 0)
    throw usageError(`--state takes one of ${LISTED_STATES.join(", ")}, not "${state}".`);
  return asked;
}

/** Notes what came through a mail server's pipe; done, too, with whatever has nothing to be noted. */
async function noteBounce(call: Call, clock: Clock, source: Readable): Promise<ExitCode> {
  const { stdout, stderr } = call;
  const raw = await readAll(source);
  const config = await configOf(call);
  requireStore(config.storage);
  const read = raw === undefined ? { nothing: "It is longer than 2 MB." } : await readNotification(raw);
  const isDone = (nothing: string): ExitCode => {
    stderr.write(`liaison: Nothing is noted. ${printable(nothing)}\n`);
    return 0;
  };
  if ("nothing" in read) return isDone(read.nothing);
  const work = async ({ outbox }: { outbox: Parameters<typeof createMailAdmin>[0]["outbox"] }) =>
    await createMailAdmin({ outbox, clock, actor: "command:mail" }).bounced(read.bounce);
  const noted = await withStoreOf(config, clock, work, { create: false });
  if (noted === undefined) return isDone("No mail that was sent has the Message-ID of this notification.");
  stdout.write(`${noted.id} to ${printable(noted.to)}: ${printable(noted.bounce ?? "")}\n`);
  return 0;
}

/**
 * All of it, or undefined where that is too long: it is read to its end all the same, for its writer takes
 * less as a failure.
 */
async function readAll(source: Readable): Promise<Buffer | undefined> {
  try {
    return await readBody(source, LARGEST_NOTIFICATION);
  } catch (error) {
    if (!(error instanceof BodyTooLarge)) throw error;
    await finished(source.resume());
    return undefined;
  }
}
