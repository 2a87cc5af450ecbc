/**
 * What the definition of an operation is: its name, what it takes and gives, who may call it, and its words
 * on a command line. A definition is a value that every face takes; what carries it out is a handler, in
 * admin/operations. Definitions rest on schemas and rules alone: neither a store nor a server is loaded with
 * them.
 */

import type { z } from "zod";
import type { Scope } from "../scopes.ts";

export interface Definition<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> {
  /** Unique; an OpenAPI operationId. */
  name: string;
  summary: string;
  scope: Scope;
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below the API's own; `{field}` is a field of the input. */
  path: `/${string}`;
  input: Input;
  output: Output;
  /**
   * creates: 201, and an Idempotency-Key is heeded · edits: If-Match is needed, and the answer has a
   * revision.
   */
  kind?: "creates" | "edits";
  /** What it asks for is carried out behind its answer, which says how far that is. */
  status?: 202;
  /** Whether its answer has a revision though it edits nothing. */
  hasRevision?: true;
  command?: CommandWords<z.output<Output>>;
}

/** How an operation is called on a command line, and what of its answer is shown there. */
interface CommandWords<Output> {
  /** The words that call it. */
  name: string;
  /** The field that stands there without a flag. */
  operand?: string;
  examples: readonly string[];
  /** What a list shows of each record, by the headings of its columns. */
  columns?: Columns<ItemOf<Output>>;
  /** What is said where the answer is empty. */
  done?: string;
}

/** What a column holds of a record: dates are written in the deployment's time zone, null is nothing. */
export type Shown = string | boolean | Date | null | readonly string[];

export type Columns<Item> = Readonly<Record<string, (item: Item) => Shown>>;

/** The records of a list; nothing has any that is none. */
type ItemOf<Output> = Output extends { items: readonly (infer Item)[] } ? Item : never;

/** What an operation gives. */
export type OutputOf<Operation extends Definition> = z.output<Operation["output"]>;

/**
 * The input of an operation as somebody typed it: its fields alone, with values that are yet to be checked.
 */
export type Typed<Input extends z.ZodObject> = { [Field in keyof z.input<Input>]: unknown };

/** What an edit may change, as somebody typed it: every field of its input but the id of what it edits. */
export type Changes<Operation extends Definition> = Omit<Typed<Operation["input"]>, "id">;

/** Makes a definition, and has what its command shows agree with its output. */
export function define<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: Definition<Input, Output>,
): Definition<Input, Output> {
  return definition;
}

/** An instant as a column holds it. */
export const dateOf = (instant: string | null | undefined): Date | null =>
  instant === null || instant === undefined ? null : new Date(instant);
