/**
 * What a broker speaks to, in a thread of its own, so that none of its work is done by the thread that is
 * measured: a mail server that takes everything, and a caller of the broker's addresses.
 */

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

export interface OutsideCall {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
}

export interface Outside {
  smtpPort: number;
  /** Calls an address; reads all of the answer. */
  call(call: OutsideCall): Promise<{ status: number; bytes: number; start: string }>;
  close(): Promise<void>;
}

type Answer = { id: number } & ({ status: number; bytes: number; start: string } | { failed: string });

export async function startOutside(): Promise<Outside> {
  const worker = new Worker(new URL(import.meta.url));
  const [smtpPort] = (await once(worker, "message")) as [number];
  const waiting = new Map<number, PromiseWithResolvers<{ status: number; bytes: number; start: string }>>();
  worker.on("message", (answer: Answer) => {
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("failed" in answer) call?.reject(new Error(answer.failed));
    else call?.resolve(answer);
  });
  let last = 0;
  return {
    smtpPort,
    call: (call) => {
      last += 1;
      const answered = Promise.withResolvers<{ status: number; bytes: number; start: string }>();
      waiting.set(last, answered);
      worker.postMessage({ id: last, ...call });
      return answered.promise;
    },
    close: async () => void (await worker.terminate()),
  };
}

if (!isMainThread && parentPort !== null) await serve(parentPort);

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  const server = createServer(takeMail);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  port.postMessage(typeof address === "object" ? address?.port : undefined);
  port.on(
    "message",
    (call: OutsideCall & { id: number }) => void answer(call).then((said) => port.postMessage(said)),
  );
}

async function answer({ id, ...call }: OutsideCall & { id: number }): Promise<Answer> {
  try {
    const { url, ...init } = call;
    const response = await fetch(url, { ...init, redirect: "manual" });
    const text = await response.text();
    return { id, status: response.status, bytes: text.length, start: text.slice(0, 300) };
  } catch (error) {
    return { id, failed: `${call.url}: ${String(error)}` };
  }
}

/** As much of RFC 5321 as a client needs that never errs. */
function takeMail(socket: Socket): void {
  let isData = false;
  let rest = "";
  socket.setEncoding("utf8").on("error", () => {});
  socket.write("220 outside\r\n");
  socket.on("data", (text) => {
    rest += text;
    const lines = rest.split("\r\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (isData && line !== ".") continue;
      isData = line.toUpperCase() === "DATA";
      if (line.toUpperCase() === "QUIT") socket.end("221 bye\r\n");
      else socket.write(isData ? "354 go on\r\n" : "250 taken\r\n");
    }
  });
}
