/**
 * The directions of import, as docs/architecture.md draws them: which part of `src/` may import which.
 * `npm run check` holds every import against this table (lint/check-imports.ts), and a test the drawing. That
 * files don't import each other in a circle is biome's.
 */

/**
 * Files of `src/` that every part but `domain` may import. Those of them that are in no part import each
 * other alone.
 */
export const ground: readonly string[] = [
  "clock.ts",
  "deadline.ts",
  "domain/ids.ts",
  "domain/records.ts",
  "encryption.ts",
  "errors.ts",
  "make-folder.ts",
  "pace.ts",
  "read-body.ts",
  "readiness.ts",
  "sql-columns.ts",
  "worker-loop.ts",
];

export interface Part {
  /** What it may import besides itself and the ground: whole parts, or single files of one. */
  imports: readonly string[];
  /** What it may import types of, and nothing else. */
  types?: readonly string[];
  /** The packages that it may import; without it, any. */
  packages?: readonly string[];
  /** Whether the ground isn't for it: `imports` says all. */
  withoutGround?: true;
}

/** What a sign-in and its link are made of; none of these imports another. */
const core = ["linking", "mail", "oidc", "upstream"];

/** Each part is a folder or a file of `src/`; a file belongs to the longest that it is in. */
export const parts: Readonly<Record<string, Part>> = {
  "main.ts": { imports: ["app.ts", "background/thread.ts", "cli", "demo", "logger.ts"] },
  "app.ts": {
    imports: ["admin", "background", "config", ...core, "domain", "http", "storage", "ui"],
  },
  background: {
    imports: [
      "admin",
      "config",
      ...core,
      "domain",
      "http",
      "logger.ts",
      "storage/contract.ts",
      "storage/open.ts",
    ],
  },
  cli: { imports: ["admin", "admin/definitions", "config", "storage/copy.ts", "storage/open.ts"] },
  demo: {
    imports: ["app.ts", "config/schema.ts", "domain", "logger.ts", "storage/contract.ts", "storage/open.ts"],
  },
  admin: {
    imports: [
      "admin/definitions",
      ...core,
      "domain",
      "http",
      "storage/contract.ts",
      "ui",
      "ui/console/views.ts",
    ],
    types: ["config/schema.ts"],
  },
  // Loaded without a server and without a store: a command's words and `liaison version` rest on them.
  "admin/definitions": {
    imports: ["admin/import/role.ts", "admin/recipes/recipes.ts", "admin/scopes.ts", "domain"],
    packages: ["zod"],
  },
  http: {
    imports: [...core, "domain", "storage/contract.ts", "ui"],
    types: ["config/schema.ts"],
  },
  oidc: { imports: ["domain", "storage/contract.ts"], types: ["config/schema.ts"] },
  upstream: { imports: ["domain", "storage/contract.ts"], types: ["config/schema.ts"] },
  linking: { imports: ["domain", "storage/contract.ts"], types: ["config/schema.ts"] },
  mail: { imports: ["domain", "storage/contract.ts", "ui"], types: ["config/schema.ts"] },
  ui: { imports: ["ui/console/views.ts"] },
  "ui/console/views.ts": { imports: ["ui"], types: ["admin/definitions"] },
  config: { imports: ["domain"] },
  "logger.ts": { imports: [] },
  "storage/open.ts": { imports: ["storage", "storage/mongo", "storage/sqlite"] },
  "storage/copy.ts": { imports: ["storage", "storage/mongo", "storage/sqlite"] },
  "storage/mongo": { imports: ["domain", "storage"] },
  "storage/sqlite": { imports: ["domain", "storage"] },
  storage: { imports: ["domain"] },
  domain: { imports: ["clock.ts", "errors.ts"], packages: ["zod"], withoutGround: true },
};
