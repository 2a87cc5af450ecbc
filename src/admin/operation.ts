/**
 * What carries an operation out is told, what it gives, and with what it is refused, whichever face calls it.
 * What operations there are, definitions/ says; carrying one out is service.ts's.
 */

import type { z } from "zod";
import type { Instant } from "../clock.ts";
import { LiaisonError } from "../errors.ts";
import type { ChangeOutcome, Once } from "../storage/contract.ts";
import type { Definition, OutputOf } from "./definitions/definition.ts";
import type { Principal, Scope } from "./scopes.ts";

/** What a handler is told beside its input. */
export interface CallContext {
  principal: Principal;
  now: Instant;
  /** The revision that the caller saw, of operations that edit. */
  ifMatch: string | undefined;
  /**
   * What makes a creation that is repeated come true once, if its caller gave a key. @param answer what the
   * first is answered
   */
  once(answer: object): Once | undefined;
  /**
   * Whether the principal has another scope, for what depends on the record. @throws LiaisonError `forbidden`
   * if not
   */
  need(scope: Scope): void;
}

export interface Answer<Output> {
  output: Output;
  /** Of a record that can be edited. */
  revision?: string;
}

/** What carries an operation out. */
export type Handler<Operation extends Definition> = (
  input: z.output<Operation["input"]>,
  call: CallContext,
) => Promise<Answer<OutputOf<Operation>>>;

/** A handler for each operation of an area: one that lacks, and one too many, is an error of types. */
export type HandlersOf<Area> = {
  [Name in keyof Area]: Area[Name] extends Definition ? Handler<Area[Name]> : never;
};

/** The status of an answer over HTTP. */
export function statusOf({ kind, status }: Pick<Definition, "kind" | "status">): 200 | 201 | 202 {
  return kind === "creates" ? 201 : (status ?? 200);
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
  /**
   * Of several about one field the first is told: of an empty one that it is empty, not what else nothing
   * lacks.
   */
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
    super(
      "precondition_failed",
      "Somebody else changed this since you read it. Look at it again, then edit it anew.",
    );
    this.name = "EditConflict";
    this.current = current;
    const now = current.output as Record<string, unknown>;
    this.differences = Object.entries(wanted)
      .filter(
        ([field, yours]) => Object.hasOwn(now, field) && JSON.stringify(yours) !== JSON.stringify(now[field]),
      )
      .map(([field, yours]) => ({ field, yours, current: now[field] }));
  }
}

/** What an operation's record is called in messages. */
type What = string;

/**
 * The answer that a change comes to.
 * @throws LiaisonError for every outcome but `done` and `repeated`; `changed` is for the caller to explain:
 *   see `isChanged`
 */
export function answered<Output>(
  outcome: ChangeOutcome,
  what: What,
  once: Once | undefined,
  output: Output,
): Output {
  switch (outcome.result) {
    case "done":
      return output;
    case "repeated":
      if (outcome.fingerprint === once?.fingerprint) return JSON.parse(outcome.answer) as Output;
      throw LiaisonError.unprocessable("This Idempotency-Key was used for another request. Take a new one.");
    case "exists":
      throw LiaisonError.conflict(`There is ${what} already: choose another id.`);
    case "missing":
      throw LiaisonError.notFound(`There is no ${what.replace(/^an? /, "")}.`);
    case "changed":
      throw LiaisonError.preconditionFailed("Somebody else changed this since you read it.");
    case "last_owner":
      throw LiaisonError.conflict("This would leave no owner. Make somebody else an owner first.");
    case "not_operator":
      throw LiaisonError.conflict("Administrators are profiles of the operator's own organization alone.");
  }
}
