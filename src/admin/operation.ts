/**
 * What an operation of the administration is: a name, what it takes and gives, who may call it, and what it does. The REST API
 * and the command line are made of these definitions; the console's pages call them by name. Carrying one out is service.ts's.
 */

import type { z } from "zod";
import type { Instant } from "../clock.ts";
import { LiaisonError } from "../errors.ts";
import type { ChangeOutcome, Once } from "../storage/contract.ts";
import type { Principal, Scope } from "./scopes.ts";

/** What a handler is told beside its input. */
export interface CallContext {
  principal: Principal;
  now: Instant;
  /** The revision that the caller saw, of operations that edit. */
  ifMatch: string | undefined;
  /** What makes a creation that is repeated come true once, if its caller gave a key. @param answer what the first is answered */
  once(answer: object): Once | undefined;
  /** Whether the principal has another scope, for what depends on the record. @throws LiaisonError `forbidden` if not */
  need(scope: Scope): void;
}

export interface Answer<Output> {
  output: Output;
  /** Of a record that can be edited. */
  revision?: string;
}

export interface Definition<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType> {
  /** Unique; an OpenAPI operationId. */
  name: string;
  summary: string;
  scope: Scope;
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below the API's own; `{field}` is a field of the input. */
  path: `/${string}`;
  input: Input;
  output: Output;
  /** creates: 201, and an Idempotency-Key is heeded · edits: If-Match is needed, and the answer has a revision. */
  kind?: "creates" | "edits";
  /** What it asks for is carried out behind its answer, which says how far that is. */
  status?: 202;
  /** Whether its answer has a revision though it edits nothing. */
  hasRevision?: true;
  /** The words that call it on a command line, and the field that stands there without a flag. */
  command?: { name: string; operand?: string; examples: readonly string[] };
}

export interface Operation<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType>
  extends Definition<Input, Output> {
  handler(input: z.output<Input>, call: CallContext): Promise<Answer<z.input<Output>>>;
}

/** An operation whatever it takes and gives. */
export interface AnyOperation extends Definition {
  handler(input: unknown, call: CallContext): Promise<Answer<unknown>>;
}

/** The status of an answer over HTTP. */
export function statusOf({ kind, status }: Pick<Definition, "kind" | "status">): 200 | 201 | 202 {
  return kind === "creates" ? 201 : (status ?? 200);
}

/** Makes an operation of its definition and its handler, which then agree on the types of both. */
export function operation<Input extends z.ZodObject, Output extends z.ZodType>(
  definition: Definition<Input, Output>,
  handler: Operation<Input, Output>["handler"],
): AnyOperation {
  return { ...definition, handler: handler as AnyOperation["handler"] };
}

/** What is wrong with one field of an input. */
export interface FieldFault {
  /** As in `access_policy.kinds`; "" for the input as a whole. */
  field: string;
  problem: string;
}

/** An input that the operation can't take, with everything that is wrong with it. */
export class InputError extends LiaisonError {
  readonly faults: readonly FieldFault[];
  /** Of several about one field the first is told: of an empty one that it is empty, not what else nothing lacks. */
  constructor(all: readonly FieldFault[]) {
    const faults = all.filter(
      ({ field }, place) => field === "" || all.findIndex((one) => one.field === field) === place,
    );
    super(
      "bad_request",
      faults.map(({ field, problem }) => (field === "" ? problem : `${field}: ${problem}`)).join("; "),
    );
    this.name = "InputError";
    this.faults = faults;
  }
}

/** A record that somebody else edited since the caller read it. */
export class EditConflict extends LiaisonError {
  /** The record as it is now, with its revision. */
  readonly current: Answer<unknown>;
  /** What the caller wanted, where the record says something else. */
  readonly differences: readonly { field: string; yours: unknown; current: unknown }[];
  constructor(current: Answer<unknown>, wanted: Record<string, unknown>) {
    super("precondition_failed", "Somebody else changed this since you read it. Look at it again, then edit it anew.");
    this.name = "EditConflict";
    this.current = current;
    const now = current.output as Record<string, unknown>;
    this.differences = Object.entries(wanted)
      .filter(([field, yours]) => Object.hasOwn(now, field) && JSON.stringify(yours) !== JSON.stringify(now[field]))
      .map(([field, yours]) => ({ field, yours, current: now[field] }));
  }
}

/** What an operation's record is called in messages. */
type What = string;

/**
 * The answer that a change comes to.
 * @throws LiaisonError for every outcome but `done` and `repeated`; `changed` is for the caller to explain: see `isChanged`
 */
export function answered<Output>(outcome: ChangeOutcome, what: What, once: Once | undefined, output: Output): Output {
  switch (outcome.result) {
    case "done":
      return output;
    case "repeated":
      if (outcome.fingerprint === once?.fingerprint) return JSON.parse(outcome.answer) as Output;
      throw new LiaisonError("unprocessable", "This Idempotency-Key was used for another request. Take a new one.");
    case "exists":
      throw new LiaisonError("conflict", `There is ${what} already: choose another id.`);
    case "missing":
      throw new LiaisonError("not_found", `There is no ${what.replace(/^an? /, "")}.`);
    case "changed":
      throw new LiaisonError("precondition_failed", "Somebody else changed this since you read it.");
    case "last_owner":
      throw new LiaisonError("conflict", "This would leave no owner. Make somebody else an owner first.");
    case "not_operator":
      throw new LiaisonError("conflict", "Administrators are profiles of the operator's own organization alone.");
  }
}
