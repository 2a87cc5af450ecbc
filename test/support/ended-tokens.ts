/** Tokens that must be good for nothing any more, at every place that asks. */

import assert from "node:assert/strict";
import type { PortalTokens, TestPortal } from "./portal.ts";

export type IssuedTokens = Pick<PortalTokens, "access_token" | "refresh_token">;

export async function assertTokensEnded(
  portal: TestPortal,
  accountId: string,
  tokens: IssuedTokens,
): Promise<void> {
  for (const token of [tokens.access_token, tokens.refresh_token ?? ""]) {
    assert.equal((await portal.introspect(token)).active, false);
  }
  await assert.rejects(portal.userinfo(tokens.access_token, accountId));
  await assert.rejects(portal.refresh(tokens.refresh_token ?? ""), { error: "invalid_grant" });
}
