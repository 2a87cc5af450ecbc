/**
 * Carries operations out, whichever face calls them: may they, is the input right, and what comes of it.
 * Every face gets the same errors; how they are shown is the face's.
 */

import { createHash } from "node:crypto";
import type { z } from "zod";
import type { Clock, Instant, Milliseconds } from "../clock.ts";
import { asSecretHash } from "../domain/ids.ts";
import type { AuditEvent } from "../domain/records.ts";
import { sameId } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { AuditStore, Once } from "../storage/contract.ts";
import type { Definition, Typed } from "./definitions/definition.ts";
import { operations, readingOf } from "./definitions/operations.ts";
import { type Answer, type CallContext, EditConflict, type Handler, InputError } from "./operation.ts";
import type { Handlers } from "./operations.ts";
import type { Principal, Scope } from "./scopes.ts";

export interface CallOptions {
  /** The revision that an edit is of; any of several; or whichever there is (RFC 9110, section 13.1.1). */
  ifMatch?: string | readonly string[] | typeof ANY_REVISION | undefined;
  idempotencyKey?: string | undefined;
}

export interface AdminService {
  /**
   * Carries an operation out, once its input is found right.
   * @throws InputError, EditConflict
   * @throws LiaisonError `forbidden`, `not_found`, `conflict`, `precondition_required`,
   *   `precondition_failed`, `unprocessable`
   */
  call<Input extends z.ZodObject, Output extends z.ZodObject>(
    definition: Definition<Input, Output>,
    principal: Principal,
    input: Typed<Input>,
    options?: CallOptions,
  ): Promise<Answer<z.output<Output>>>;
}

export const ANY_REVISION = "*";
/** How often an edit of whichever revision there is begins anew where others are faster. */
const mostRaces = 5;

/** How long a repeated creation is recognized, in milliseconds. */
const onceForMs: Milliseconds = 24 * 3_600_000;
const hourMs: Milliseconds = 3_600_000;

export interface AdminServiceDependencies {
  handlers: Handlers;
  audit: Pick<AuditStore, "appendOnce">;
  clock: Clock;
  /** Whether outputs are held to their schemas, too, which takes time. Default: false */
  checksOutputs?: boolean | undefined;
}

export function createAdminService(dependencies: AdminServiceDependencies): AdminService {
  const { handlers, audit, clock, checksOutputs = false } = dependencies;
  const handlerOf = handlersByDefinition(handlers);

  /** Somebody who is known tried what they may not: noted once an hour, however often they try. */
  async function refuse({ name, method }: Definition, { actor }: Principal, scope: Scope): Promise<never> {
    if (method !== "GET") await audit.appendOnce(refusal(name, actor, scope, clock.now()));
    throw new LiaisonError("forbidden", `This needs the scope ${scope}.`);
  }

  return {
    async call(operation, principal, input, { ifMatch, idempotencyKey } = {}) {
      if (!principal.scopes.has(operation.scope)) return await refuse(operation, principal, operation.scope);
      const parsed = operation.input.safeParse(input);
      if (!parsed.success) throw new InputError(faultsOf(parsed.error));
      if (operation.kind === "edits" && ifMatch === undefined) {
        throw new LiaisonError(
          "precondition_required",
          "Say by If-Match which revision this edits: read it first.",
        );
      }
      const now = clock.now();
      let lacking: Scope | undefined;
      const contextOf = (revision: string | undefined): CallContext => ({
        principal,
        now,
        ifMatch: revision,
        need(scope) {
          if (principal.scopes.has(scope)) return;
          lacking = scope;
          throw new LiaisonError("forbidden", `This needs the scope ${scope}.`);
        },
        once: (given) => onceOf(operation, { principal, idempotencyKey, input: parsed.data, now }, given),
      });
      try {
        const given = await answer(handlerOf, operation, parsed.data, ifMatch, contextOf);
        if (checksOutputs) operation.output.parse(given.output);
        return given;
      } catch (error) {
        if (lacking !== undefined) return await refuse(operation, principal, lacking);
        throw error;
      }
    },
  };
}

/**
 * The revision of the record that an edit is of, as it is now: whoever may edit it is told no more than
 * that.
 */
async function revisionNow(
  handlerOf: HandlerOf,
  operation: Definition,
  input: { id?: unknown },
  context: CallContext,
): Promise<string> {
  const reading = readingOf(operation);
  return (await handlerOf(reading)(reading.input.parse({ id: input.id }), context)).revision ?? "";
}

/** Where whichever revision there is was meant, and there is another one by then: with that one. */
async function answer<Input extends z.ZodObject, Output extends z.ZodObject>(
  handlerOf: HandlerOf,
  operation: Definition<Input, Output>,
  input: z.output<Input>,
  ifMatch: CallOptions["ifMatch"],
  contextOf: (revision: string | undefined) => CallContext,
): Promise<Answer<z.output<Output>>> {
  for (let races = 1; ; races += 1) {
    try {
      // What edits nothing has no revision of its own: there the header means nothing.
      const revision = await revisionMeant(operation.kind === "edits" ? ifMatch : undefined, () =>
        revisionNow(handlerOf, operation, input, contextOf(undefined)),
      );
      return await handlerOf(operation)(input, contextOf(revision));
    } catch (error) {
      if (ifMatch === ANY_REVISION && error instanceof EditConflict && races < mostRaces) continue;
      throw error;
    }
  }
}

/** What makes a repeated creation come true once; undefined where its caller gave no key. */
function onceOf(
  { kind, name }: Definition,
  call: { principal: Principal; idempotencyKey: string | undefined; input: unknown; now: Instant },
  answer: object,
): Once | undefined {
  const { principal, idempotencyKey, input, now } = call;
  if (idempotencyKey === undefined || kind !== "creates") return undefined;
  return {
    keyHash: asSecretHash(sha256(JSON.stringify([principal.actor, name, idempotencyKey]))),
    fingerprint: sha256(JSON.stringify(input)),
    answer: JSON.stringify(answer),
    expiresAt: now + onceForMs,
  };
}

type HandlerOf = <Operation extends Definition>(definition: Operation) => Handler<Operation>;

/**
 * Finds what carries an operation out. @returns a function that throws TypeError for a definition of no
 * operation
 */
function handlersByDefinition(handlers: Handlers): HandlerOf {
  const known = new Map<unknown, unknown>();
  for (const [area, definitions] of Object.entries(operations)) {
    const ofArea: Readonly<Record<string, unknown>> = handlers[area as keyof Handlers];
    for (const [name, definition] of Object.entries(definitions)) known.set(definition, ofArea[name]);
  }
  return <Operation extends Definition>(definition: Operation): Handler<Operation> => {
    const handler = known.get(definition);
    if (handler === undefined) throw new TypeError(`nothing carries out ${definition.name}`);
    // Handlers proves that what stands at the same place of both takes and gives what the definition says.
    return handler as Handler<Operation>;
  };
}

/** The one revision that an edit goes on with; "", which is none, where none of several is that of now. */
async function revisionMeant(
  meant: CallOptions["ifMatch"],
  now: () => Promise<string>,
): Promise<string | undefined> {
  if (meant === undefined || (typeof meant === "string" && meant !== ANY_REVISION)) return meant;
  const current = await now();
  return meant === ANY_REVISION || meant.includes(current) ? current : "";
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

function refusal(operation: string, actor: string, scope: Scope, at: Instant): AuditEvent {
  return {
    id: sameId("administration.refused", actor, operation, scope, String(Math.floor(at / hourMs))),
    at,
    actor,
    action: "administration.refused",
    detail: { operation, scope },
    profileId: null,
    organizationId: null,
    accountId: null,
    requestId: null,
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
