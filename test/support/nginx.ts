/** A real nginx that ends TLS in front of a broker, with the certificate of the tests. */

import { certificate, privateKey } from "./certificate.ts";
import { type ForegroundServer, startForeground } from "./foreground.ts";

export interface NginxOptions {
  /** Where it listens with TLS, as `https://localhost:<port>`. */
  port: number;
  /** What it forwards, without the slash at the end; empty for everything. */
  path: string;
  broker: number;
  /** Whether it cuts the path off. */
  strips?: boolean;
}

/** Starts it as docs/running/proxy.md has it. */
export async function startNginx(program: string, options: NginxOptions): Promise<ForegroundServer> {
  const { port, path, broker, strips = false } = options;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const configuration = (folder: string) => `
    ${process.getuid?.() === 0 ? "user root;" : ""}
    pid ${folder}/nginx.pid;
    error_log stderr warn;
    events { worker_connections 256; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${folder}/certificate.pem;
        ssl_certificate_key ${folder}/key.pem;
        location ${path}/ {
          proxy_pass http://127.0.0.1:${broker}${strips ? "/" : ""};
          proxy_set_header Host $host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
        location = /.well-known/oauth-authorization-server${path} { proxy_pass http://127.0.0.1:${broker}; }
      }
    }`;
  return await startForeground({
    port,
    command: (folder) => [
      ...([program, "-p", folder, "-e", "stderr", "-c", `${folder}/nginx.conf`] as const),
      "-g",
      "daemon off; master_process off;",
    ],
    files: (folder) => ({
      "nginx.conf": configuration(folder),
      "certificate.pem": certificate,
      "key.pem": privateKey,
    }),
  });
}
