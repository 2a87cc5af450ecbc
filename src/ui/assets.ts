/**
 * The files that pages refer to, read once at start. A name holds the hash of its content, so that a browser
 * may keep the file for ever. Serving them is http/'s; pages prefix the path of the deployment.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface Asset {
  type: string;
  body: Buffer;
}

/** In the order of the cascade. */
const stylesheets = [
  "styles/1-base.css",
  "styles/2-frame.css",
  "styles/3-controls.css",
  "styles/4-parts.css",
  "styles/4-console.css",
  "styles/5-modes.css",
];

const found = new Map<string, Asset>();

/** The files, one after the other, under one name. */
function load(files: readonly string[], name: string, extension: string, type: string): string {
  const body = Buffer.concat(files.map((file) => readFileSync(new URL(file, import.meta.url))));
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  const path = `/assets/${name}-${hash}.${extension}`;
  found.set(path, { type, body });
  return path;
}

/** URL paths below the deployment's own prefix. */
export const stylesheetPath = load(stylesheets, "liaison", "css", "text/css; charset=utf-8");
export const scriptPath = load(["app.js"], "liaison", "js", "text/javascript; charset=utf-8");
export const iconPath = load(["favicon.svg"], "icon", "svg", "image/svg+xml");

/** Every asset by its URL path. */
export const assets: ReadonlyMap<string, Asset> = found;
