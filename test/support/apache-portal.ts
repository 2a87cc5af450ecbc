/**
 * A portal that isn't ours: Apache with mod_auth_openidc, which shows a signed-in person's claims as response
 * headers.
 */

import { installed, isThere, startForeground } from "./foreground.ts";

/** Where distributions put Apache's modules. */
const moduleFolders = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules"];

export interface ApacheInstallation {
  program: string;
  modules: string;
}

/** Apache with mod_auth_openidc, or undefined where that isn't installed. */
export async function apacheInstallation(): Promise<ApacheInstallation | undefined> {
  const program = (await installed("apache2")) ?? (await installed("httpd"));
  if (program === undefined) return undefined;
  for (const modules of moduleFolders) {
    if (await isThere(`${modules}/mod_auth_openidc.so`)) return { program, modules };
  }
  return undefined;
}

export interface ApachePortal {
  origin: string;
  /** Its redirect URI, which takes sign-outs, back-channel notices and questions about the session too. */
  vanity: string;
  close(): Promise<void>;
}

/** Claims that it shows, as `x-claim-…`; what isn't a text it gives as JSON. */
const claims = [
  "sub",
  "name",
  "email",
  "email_verified",
  "profile_id",
  "roles",
  "organization",
  "service_plan",
];

/** Starts it on `port`. `settings` are lines of its configuration beside those that every portal needs. */
export async function startApachePortal(
  { program, modules }: ApacheInstallation,
  options: { port: number; issuer: string; clientId: string; clientSecret: string; settings: string[] },
): Promise<ApachePortal> {
  const origin = `http://localhost:${options.port}`;
  const vanity = `${origin}/protected/oidc`;
  const load = ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "auth_openidc"];
  const asRoot = process.getuid?.() === 0 ? ["User www-data", "Group www-data"] : [];
  const configuration = (folder: string) => [
    `ServerRoot ${folder}`,
    `ServerName localhost:${options.port}`,
    `Listen 127.0.0.1:${options.port}`,
    `PidFile ${folder}/apache.pid`,
    `DefaultRuntimeDir ${folder}`,
    "ErrorLog /dev/stderr",
    "LogLevel warn auth_openidc:info",
    ...asRoot,
    ...load.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
    "StartServers 1",
    "ServerLimit 1",
    "ThreadsPerChild 8",
    "MaxRequestWorkers 8",
    "MinSpareThreads 1",
    "MaxSpareThreads 8",
    `DocumentRoot ${folder}/pages`,
    "DirectoryIndex index.html",
    `OIDCProviderMetadataURL ${options.issuer}/.well-known/openid-configuration`,
    `OIDCClientID ${options.clientId}`,
    `OIDCClientSecret ${options.clientSecret}`,
    `OIDCRedirectURI ${vanity}`,
    "OIDCCryptoPassphrase a-passphrase-of-the-portal-alone",
    'OIDCScope "openid profile email organization offline_access"',
    ...options.settings,
    "<Location /protected>",
    "AuthType openid-connect",
    "Require valid-user",
    // By itself it sends only navigating browsers to sign in, which it knows by headers that no program may
    // set.
    "OIDCUnAuthAction auth true",
    'Header set X-Remote-User "expr=%{REMOTE_USER}"',
    ...claims.map(
      (name) => `Header set X-Claim-${name.replaceAll("_", "-")} "expr=%{reqenv:OIDC_CLAIM_${name}}"`,
    ),
    "</Location>",
  ];
  const { close } = await startForeground({
    port: options.port,
    command: (folder) => [program, "-f", `${folder}/apache.conf`, "-DFOREGROUND"],
    files: (folder) => ({
      "apache.conf": `${configuration(folder).join("\n")}\n`,
      "pages/index.html": "<h1>Signed out</h1>",
      "pages/protected/index.html": "<h1>The portal</h1>",
    }),
  });
  return { origin, vanity, close };
}
