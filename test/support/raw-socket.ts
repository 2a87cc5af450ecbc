/**
 * Requests as no browser sends them: byte by byte over a connection, from whichever address of this machine.
 */

import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";

export interface RawConnection {
  socket: Socket;
  /** Everything received so far. */
  received(): string;
  /** Resolves when the other end has ended it, with the milliseconds since it was opened. */
  ended: Promise<number>;
}

/** Opens a connection and sends `text`. */
export async function openRaw(
  port: number,
  text: string,
  localAddress = "127.0.0.1",
): Promise<RawConnection> {
  const begun = performance.now();
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  let received = "";
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString();
  });
  const ended = new Promise<number>((resolve) =>
    socket.once("close", () => resolve(performance.now() - begun)),
  );
  await once(socket, "connect");
  socket.write(text);
  return { socket, received: () => received, ended };
}

/** The head and the beginning of a form that never comes whole. */
export function halfSent(path: string, length = 1000): string {
  const lines = [`POST ${path} HTTP/1.1`, "host: x", "content-type: application/x-www-form-urlencoded"];
  return `${[...lines, `content-length: ${length}`].join("\r\n")}\r\n\r\nclient_id=`;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  ms: number;
}

/** One request from another address of this machine, on a connection of its own. */
export function askFrom(
  localAddress: string,
  url: string,
  {
    method = "GET",
    headers = {},
    body = "",
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(
      url.replace("//localhost", "//127.0.0.1"),
      { localAddress, agent: false, method, headers },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
            ms: performance.now() - begun,
          }),
        );
      },
    );
    asked.on("error", reject).end(body);
  });
}
