/** What is read of a request: fields of its form, parameters of its address, the network it comes from. */

import type { Context } from "koa";
import { clientNetwork } from "../domain/networks.ts";

/** What a request counts as coming from: the client's network. */
export function networkOf(ctx: Context): string {
  return clientNetwork(String(ctx.state["clientAddress"]));
}

/** Fields of a posted form; a field given twice has no value, which no form of ours sends. */
export function formFields(ctx: Context): Record<string, string | undefined> {
  const body = (ctx.request as { body?: unknown }).body;
  if (typeof body !== "object" || body === null) return {};
  const entries = Object.entries(body).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Record<
    string,
    string | undefined
  >;
}

/**
 * A parameter of an address of ours; one given twice has no value, which no page of ours and no upstream
 * sends.
 */
export function queryValue(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  return typeof value === "string" ? value : undefined;
}

/** Whether an address of ours has a parameter at all, whatever it says. */
export function hasQuery(ctx: Context, name: string): boolean {
  return ctx.query[name] !== undefined;
}
