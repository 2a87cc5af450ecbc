/** The application with an issuer that has a path, behind a real nginx that ends TLS. */

import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Attacked, startAttacked } from "./attack-fixture.ts";
import { certificate } from "./certificate.ts";
import type { ForegroundServer } from "./foreground.ts";
import { freePort } from "./free-port.ts";
import type { LiaisonOptions } from "./liaison.ts";
import { startNginx } from "./nginx.ts";

export interface BehindNginx {
  liaison: Attacked;
  nginx: ForegroundServer;
  /** The broker's own address, past the proxy, with the issuer's path. */
  straight: string;
  close(): Promise<void>;
}

/** Starts both. From here on this process trusts the certificate of the tests. */
export async function startBehindNginx(
  program: string,
  options: LiaisonOptions & { path: string; strips?: boolean },
): Promise<BehindNginx> {
  setDefaultCACertificates([...getCACertificates("default"), certificate]);
  const { path, strips = false, ...rest } = options;
  const [port, broker] = [await freePort(), await freePort()];
  const nginx = await startNginx(program, { port, path, broker, strips });
  try {
    const liaison = await startAttacked({
      ...rest,
      config: (base) => {
        const proxied = {
          ...base,
          issuer: `https://localhost:${port}${path}`,
          listen: { host: "127.0.0.1", port: broker },
          trusted_proxies: ["127.0.0.1"],
        };
        return options.config?.(proxied) ?? proxied;
      },
    });
    const close = async () => {
      await liaison.close();
      await nginx.close();
    };
    return { liaison, nginx, straight: `http://127.0.0.1:${broker}${strips ? "" : path}`, close };
  } catch (error) {
    await nginx.close();
    throw error;
  }
}
