/** `liaison mail …`: mails that wait, failed or came back. What is done about them is admin/mail's. */

import type { Readable } from "node:stream";
import { createMailAdmin, LARGEST_NOTIFICATION, type MailAdmin } from "../admin/mail.ts";
import type { Clock } from "../clock.ts";
import { faceFlags, isRemote, remoteFace } from "./administration/faces.ts";
import { type MailDesk, remoteMail } from "./administration/support.ts";
import { type Call, type Command, type ExitCode, usageError } from "./command.ts";
import { table, widthOf } from "./table.ts";
import { configFlag, limitOf, withStore } from "./with-store.ts";

const states = ["held", "failed", "bounced"] as const;

/** Makes the commands. `stdin` is called when one reads it. */
export function mailCommands({ clock, stdin }: { clock: Clock; stdin(): Readable }): Command[] {
  const onStore = (call: Call, work: (mail: MailAdmin, timeZone: string) => Promise<ExitCode>) =>
    withStore(call, clock, ({ outbox }, config) =>
      work(createMailAdmin({ outbox, clock, actor: "command:mail" }), config.deployment.time_zone),
    );
  const withMail = async (call: Call, work: (mail: MailDesk, timeZone: string) => Promise<ExitCode>) => {
    if (!isRemote(call)) return await onStore(call, work);
    const face = await remoteFace(call);
    return await work(remoteMail(face), face.timeZone);
  };

  const requeue = (word: "release" | "resend", summary: string): Command => ({
    ...{ name: `mail ${word}`, section: "Administration" },
    summary,
    operand: "ID",
    flags: faceFlags,
    examples: [`liaison mail ${word} 4QrTzk0wJm9x3vYb2nLc7A`],
    run: (call) =>
      withMail(call, async (mail) => {
        const { operand, stdout } = call;
        if (operand === undefined) throw usageError("Name a mail by its id. See: liaison mail list");
        const { id, to } = await mail[word](operand);
        stdout.write(`${id} to ${to} is sent next.\n`);
        return 0;
      }),
  });

  return [
    {
      ...{ name: "mail list", section: "Administration" },
      summary: "List mails that are held, were given up or came back, newest first.",
      flags: {
        ...faceFlags,
        state: { takes: "STATE", summary: `One of ${states.join(", ")}. Default: all of them.` },
        limit: { takes: "N", summary: "At most so many. Default: 50" },
        json: { summary: "Print one JSON object a line." },
      },
      examples: ["liaison mail list", "liaison mail list --state failed --json"],
      run: (call) =>
        withMail(call, async (mail, timeZone) => {
          const { flags, stdout } = call;
          const state = flags.get("state");
          const asked = states.filter((one) => state === undefined || one === state);
          if (asked.length === 0) throw usageError(`--state takes one of ${states.join(", ")}, not "${state}".`);
          const found = await mail.list(asked, limitOf(call, 50));
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
          stdout.write(table(rows, { timeZone, empty: "No mail is held, failed or bounced.", width: widthOf(stdout) }));
          return 0;
        }),
    },
    requeue("release", "Send a held mail next, past its limits."),
    requeue("resend", "Send a mail once more that was given up."),
    {
      ...{ name: "mail bounce", section: "Administration" },
      summary: "Note a delivery status notification (RFC 3464) from standard input, for a mail server's pipe.",
      flags: { config: configFlag },
      examples: [
        "liaison mail bounce --config /etc/liaison < notification.eml",
        'bounces: "|/usr/bin/liaison mail bounce --config /etc/liaison"     # a line of /etc/aliases',
      ],
      run: (call) =>
        onStore(call, async (mail) => {
          const noted = await mail.notified(await readAll(stdin()));
          if (noted === undefined) {
            call.stderr.write("liaison: No mail that was sent has the Message-ID of this notification.\n");
            return 1;
          }
          call.stdout.write(
            noted === "no failure" ? "It tells of no failure.\n" : `${noted.id} to ${noted.to}: ${noted.bounce}\n`,
          );
          return 0;
        }),
    },
  ];
}

async function readAll(source: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_NOTIFICATION) throw usageError("A notification has 2 MB at most.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
