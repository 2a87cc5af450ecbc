/**
 * State that a browser carries for us, in a cookie or in an address: encrypted, authenticated and expiring,
 * good in the context alone that it was made for. Nothing that decides anything is in it; it says what was
 * done, and the store says what holds.
 */

import type { Clock, Seconds } from "../clock.ts";
import { createEncryption, deriveKey } from "../encryption.ts";

export interface EncryptedState {
  encrypt(value: object, context: string, lifetimeSeconds: Seconds): string;
  /**
   * The value, or undefined if it expired, was tampered with, or was made for another context or by another
   * key.
   */
  decrypt(text: string, context: string): Record<string, unknown> | undefined;
}

/** @param options.key 32 bytes, base64url */
export function createEncryptedState(options: { key: string; clock: Clock }): EncryptedState {
  const { clock } = options;
  const { encrypt, decrypt } = createEncryption(
    deriveKey(Buffer.from(options.key, "base64url"), "liaison/state/v1"),
  );
  return {
    encrypt: (value, context, lifetimeSeconds) =>
      encrypt(JSON.stringify({ value, expiresAt: clock.now() + lifetimeSeconds * 1000 }), context),
    decrypt: (text, context) => {
      try {
        const { value, expiresAt } = JSON.parse(decrypt(text, context));
        return clock.now() < expiresAt ? value : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
