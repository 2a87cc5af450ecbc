/**
 * A real SMTP server that misbehaves as told, at any step: it hangs, hangs up, refuses, or talks without end.
 * It keeps every command with whether it came in clear, and every mail that it has read to its end, taken or
 * not.
 */

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

/**
 * Where a conversation is: before the greeting, at a command, while a mail's text arrives, and after its last
 * line.
 */
export type SmtpStep =
  | "connect"
  | "EHLO"
  | "STARTTLS"
  | "AUTH"
  | "MAIL"
  | "RCPT"
  | "DATA"
  | "mid-content"
  | "content";

/**
 * `hang` says nothing more, `drop` closes the connection, `garbage` breaks a TLS handshake; anything else is
 * said as it is.
 */
export type Misdeed = "hang" | "drop" | "garbage" | { say: string };

/** What to do at a step, for a recipient once one is named; undefined for what an honest server does. */
export type Behaviour = (step: SmtpStep, recipient: string) => Misdeed | undefined;

export interface SmtpCommand {
  line: string;
  secure: boolean;
}

export interface AcceptedMail {
  to: string;
  source: string;
  secure: boolean;
}

export interface BadSmtp {
  port: number;
  commands: SmtpCommand[];
  mails: AcceptedMail[];
  behaviour: Behaviour;
  /** Extensions offered to EHLO. STARTTLS is left out once a connection is encrypted. */
  offers: string[];
  /** Closes every connection, so that a pool begins anew. */
  hangUp(): void;
  close(): Promise<void>;
}

export const honest: Behaviour = () => undefined;

/** Starts it on a free port of loopback; `tls` is what STARTTLS shows. */
export async function startBadSmtp(tls?: { key: string; cert: string }): Promise<BadSmtp> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    new Conversation(smtp, tls).begin(socket);
  });
  const smtp: BadSmtp = {
    port: 0,
    commands: [],
    mails: [],
    behaviour: honest,
    offers: ["8BITMIME"],
    hangUp: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      smtp.hangUp();
      await closed;
    },
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  smtp.port = (server.address() as AddressInfo).port;
  return smtp;
}

const fine: Record<string, string> = {
  connect: "220 bad.example ESMTP",
  STARTTLS: "220 go ahead",
  AUTH: "235 welcome",
  MAIL: "250 sender ok",
  RCPT: "250 recipient ok",
  DATA: "354 go on",
  content: "250 2.0.0 queued as 17",
};

class Conversation {
  readonly #smtp: BadSmtp;
  readonly #tls: { key: string; cert: string } | undefined;
  #socket: Socket | undefined;
  #secure = false;
  #recipient = "";
  #pending = "";
  #inContent = false;
  #silent = false;

  constructor(smtp: BadSmtp, tls: { key: string; cert: string } | undefined) {
    this.#smtp = smtp;
    this.#tls = tls;
  }

  begin(socket: Socket): void {
    this.#listen(socket);
    this.#answer("connect");
  }

  #listen(socket: Socket): void {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("error", () => {});
    socket.on("data", (chunk: string) => {
      if (this.#socket !== socket || this.#silent) return;
      this.#pending += chunk;
      this.#read();
    });
  }

  #read(): void {
    while (!this.#silent) {
      if (this.#inContent) {
        if (this.#isMisled("mid-content")) return;
        const end = this.#pending.indexOf("\r\n.\r\n");
        if (end === -1) return;
        const source = this.#pending.slice(0, end);
        this.#smtp.mails.push({ to: this.#recipient, source, secure: this.#secure });
        this.#pending = this.#pending.slice(end + 5);
        this.#inContent = false;
        this.#answer("content");
      } else {
        const end = this.#pending.indexOf("\r\n");
        if (end === -1) return;
        const line = this.#pending.slice(0, end);
        this.#pending = this.#pending.slice(end + 2);
        this.#obey(line);
      }
    }
  }

  #obey(line: string): void {
    this.#smtp.commands.push({ line, secure: this.#secure });
    const verb = line.slice(0, line.search(/[ :]|$/)).toUpperCase();
    if (verb === "EHLO") this.#answer("EHLO", this.#extensions());
    else if (verb === "HELO") this.#answer("EHLO", "250 bad.example");
    else if (verb === "QUIT") this.#socket?.end("221 bye\r\n");
    else if (
      verb === "MAIL" ||
      verb === "RCPT" ||
      verb === "DATA" ||
      verb === "STARTTLS" ||
      verb === "AUTH"
    ) {
      if (verb === "RCPT") this.#recipient = /<(.*)>/.exec(line)?.[1] ?? "";
      if (!this.#answer(verb)) return;
      if (verb === "DATA") this.#inContent = true;
      if (verb === "STARTTLS") this.#upgrade();
    } else if (/^[\x20-\x7e]*$/.test(line)) this.#socket?.write("250 ok\r\n");
    // The bytes of a TLS handshake are answered by nothing, though a line may end among them by chance.
  }

  #extensions(): string {
    const offers = this.#smtp.offers.filter((name) => name !== "STARTTLS" || !this.#secure);
    return ["250-bad.example", ...offers.map((name) => `250-${name}`), "250 HELP"].join("\r\n");
  }

  /** Says what belongs to a step; false when it did something else instead. */
  #answer(step: SmtpStep, honestly = fine[step] ?? "250 ok"): boolean {
    if (this.#isMisled(step)) return false;
    this.#socket?.write(`${honestly}\r\n`);
    return true;
  }

  #isMisled(step: SmtpStep): boolean {
    const misdeed = this.#smtp.behaviour(step, this.#recipient);
    if (misdeed === undefined) return false;
    if (misdeed === "drop") this.#socket?.destroy();
    else if (misdeed === "garbage") this.#socket?.write(`${fine[step]}\r\n250 this is no handshake\r\n`);
    else if (misdeed !== "hang") {
      this.#socket?.write(`${misdeed.say}\r\n`);
      return true;
    }
    this.#silent = misdeed !== "garbage";
    return true;
  }

  #upgrade(): void {
    const plain = this.#socket;
    if (plain === undefined) return;
    plain.removeAllListeners("data");
    this.#secure = true;
    const secureContext = createSecureContext(this.#tls);
    this.#listen(new TLSSocket(plain, { isServer: true, secureContext }));
  }
}
