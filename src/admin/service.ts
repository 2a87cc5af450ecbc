/**
 * Carries operations out, whichever face calls them: may they, is the input right, and what comes of it. Every face gets the
 * same errors; how they are shown is the face's.
 */

import { createHash } from "node:crypto";
import type { z } from "zod";
import type { Clock } from "../clock.ts";
import { sameId } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { AuditStore } from "../storage/contract.ts";
import type { AuditEvent } from "../storage/records.ts";
import { type Answer, type AnyOperation, InputError } from "./operation.ts";
import type { Principal, Scope } from "./scopes.ts";

export interface CallOptions {
  ifMatch?: string | undefined;
  idempotencyKey?: string | undefined;
}

export interface AdminService {
  readonly operations: readonly AnyOperation[];
  /**
   * @throws InputError, EditConflict
   * @throws LiaisonError `forbidden`, `not_found`, `conflict`, `precondition_required`, `precondition_failed`, `unprocessable`
   */
  call(name: string, principal: Principal, input: unknown, options?: CallOptions): Promise<Answer<unknown>>;
}

/** How long a repeated creation is recognized, in milliseconds. */
const onceForMs = 24 * 3_600_000;
const hourMs = 3_600_000;

export function createAdminService(parts: {
  operations: readonly AnyOperation[];
  audit: Pick<AuditStore, "appendOnce">;
  clock: Clock;
}): AdminService {
  const { operations, audit, clock } = parts;
  const byName = new Map(operations.map((one) => [one.name, one]));

  /** Somebody who is known tried what they may not: noted once an hour, however often they try. */
  async function refuse({ name, method }: AnyOperation, { actor }: Principal, scope: Scope): Promise<never> {
    if (method !== "GET") await audit.appendOnce(refusal(name, actor, scope, clock.now()));
    throw new LiaisonError("forbidden", `This needs the scope ${scope}.`);
  }

  return {
    operations,
    async call(name, principal, input, { ifMatch, idempotencyKey } = {}) {
      const operation = byName.get(name);
      if (operation === undefined) throw new TypeError(`there is no operation ${name}`);
      if (!principal.scopes.has(operation.scope)) return await refuse(operation, principal, operation.scope);
      const parsed = operation.input.safeParse(input);
      if (!parsed.success) throw new InputError(faultsOf(parsed.error));
      if (operation.kind === "edits" && ifMatch === undefined) {
        throw new LiaisonError("precondition_required", "Say by If-Match which revision this edits: read it first.");
      }
      const now = clock.now();
      let lacking: Scope | undefined;
      try {
        return await operation.handler(parsed.data, {
          ...{ principal, now, ifMatch },
          need(scope) {
            if (principal.scopes.has(scope)) return;
            lacking = scope;
            throw new LiaisonError("forbidden", `This needs the scope ${scope}.`);
          },
          once: (answer) => {
            if (idempotencyKey === undefined || operation.kind !== "creates") return undefined;
            return {
              keyHash: sha256(JSON.stringify([principal.actor, name, idempotencyKey])),
              fingerprint: sha256(JSON.stringify(parsed.data)),
              answer: JSON.stringify(answer),
              expiresAt: now + onceForMs,
            };
          },
        });
      } catch (error) {
        if (lacking !== undefined) return await refuse(operation, principal, lacking);
        throw error;
      }
    },
  };
}

function faultsOf({ issues }: z.ZodError): { field: string; problem: string }[] {
  return issues.flatMap((issue) => {
    const field = issue.path.map(String).join(".");
    if (issue.code !== "unrecognized_keys") return [{ field, problem: issue.message }];
    return issue.keys.map((key) => ({
      field: [...issue.path.map(String), key].join("."),
      problem: "there is no such field",
    }));
  });
}

function refusal(operation: string, actor: string, scope: Scope, at: number): AuditEvent {
  return {
    id: sameId("administration.refused", actor, operation, scope, String(Math.floor(at / hourMs))),
    ...{ at, actor, action: "administration.refused", detail: { operation, scope } },
    ...{ profileId: null, organizationId: null, accountId: null, requestId: null },
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
