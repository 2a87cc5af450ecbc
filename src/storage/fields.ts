/**
 * The fields of what is stored, as every back end has them: a table of these says how a record's values are
 * kept, and both SQL and documents are made of it (tables.ts).
 */

import type { Instant } from "../clock.ts";

/** Where something stands among what was stored: each back end counts in its own way. */
export type Place = string | number;

export type FieldKind = "text" | "number" | "flag" | "instant" | "json" | "place";

declare const value: unique symbol;

/** How the values of one field are kept. */
export interface Field<T, Kind extends FieldKind = FieldKind> {
  readonly kind: Kind;
  readonly isNullable: boolean;
  /** The only values that there are. In SQL they stand as they are, so that partial indexes are found. */
  readonly values?: readonly string[];
  /** What it is called in SQLite: its name with underscores, unless given. */
  readonly column?: string;
  /** What it is called in MongoDB: its name, unless given. */
  readonly path?: string;
  /** MongoDB may have nothing of it; see later(). */
  readonly isLater?: true;
  /** What it is where MongoDB has nothing. */
  readonly absent?: T;
  /** MongoDB has nothing of it where it is null. */
  readonly isLeftOut?: true;
  /** What it is where SQLite has NULL, of a version that knew nothing of it. */
  readonly ifNull?: T;
  /** SQLite computes it, by its column or by this expression; nobody writes it there. */
  readonly computed?: true | string;
  /** MongoDB has it within another field, which is written. */
  readonly isPart?: true;
  /** What JSON of it must look like, as MongoDB checks it. */
  readonly shape?: Shape;
  /** What is told where SQLite's JSON can't be read: the text as it is, or null. Otherwise it is an error. */
  readonly unreadable?: "text" | "null";
  readonly [value]?: T;
}

/** JSON, as MongoDB checks it. */
export type Shape =
  | "text"
  | "number"
  | "flag"
  | "instant"
  | "anything"
  | { readonly listOf: Shape }
  | {
      readonly fields: Readonly<Record<string, Shape | { readonly orNull: Shape }>>;
      readonly optional?: Readonly<Record<string, Shape>>;
    };

type Details<T> = Partial<Pick<Field<T>, "column" | "ifNull" | "computed" | "isPart" | "unreadable">>;

export const text = <T extends string = string>(details: Details<T> = {}): Field<T, "text"> => {
  return { kind: "text", isNullable: false, ...details };
};
export const number = (details: Details<number> = {}): Field<number, "number"> => {
  return { kind: "number", isNullable: false, ...details };
};
export const flag = (details: Details<boolean> = {}): Field<boolean, "flag"> => {
  return { kind: "flag", isNullable: false, ...details };
};
export const instant = (details: Details<Instant> = {}): Field<Instant, "instant"> => {
  return { kind: "instant", isNullable: false, ...details };
};
export const json = <T>(shape: Shape, details: Details<T> = {}): Field<T, "json"> => {
  return { kind: "json", isNullable: false, shape, ...details };
};
/** The order in which rows of one instant were written: given by the back end, read and compared alone. */
export const place = (details: Details<Place> = {}): Field<Place, "place"> => {
  return { kind: "place", isNullable: false, ...details };
};
/** One of a closed set; every one of them is named. */
export const oneOf = <T extends string>(
  values: Record<T, true>,
  details: Details<T> = {},
): Field<T, "text"> => {
  return { kind: "text", isNullable: false, values: Object.keys(values), ...details };
};
export const orNull = <T, Kind extends FieldKind>(field: Field<T, Kind>): Field<T | null, Kind> => {
  return { ...field, isNullable: true };
};

/** A field that documents may lack. */
export type Later = { readonly isLater: true };
/** A field that MongoDB has nothing of where a version wrote that knew nothing of it, and what it is then. */
export const later = <T, Kind extends FieldKind>(
  field: Field<T, Kind>,
  absent?: T,
): Field<T, Kind> & Later => {
  return { ...field, isLater: true, ...(absent === undefined ? {} : { absent }) };
};

/** A field that MongoDB has nothing of where it is null. */
export const leftOut = <T, Kind extends FieldKind>(field: Field<T, Kind>): Field<T | null, Kind> & Later => {
  return { ...later(orNull(field), null), isLeftOut: true };
};

/** A field that MongoDB has under another name, or within another field. */
export type Within<Path extends string> = { readonly path: Path };
export const within = <Path extends string, T, Kind extends FieldKind>(
  path: Path,
  field: Field<T, Kind>,
): Field<T, Kind> & Within<Path> => {
  return { ...field, path };
};

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** A record as it is stored: flat, one value a field. */
export type RowOf<F extends Fields> = { [Name in keyof F]: F[Name] extends Field<infer T> ? T : never };

/** The records of one kind. */
export interface Table<Row extends object> {
  readonly name: string;
  /** What it is called in SQLite. */
  readonly table: string;
  readonly fields: Readonly<Record<keyof Row & string, Field<unknown>>>;
  /** The field by which one is found; MongoDB's `_id`. */
  readonly key: keyof Row & string;
  /** What tells its rows from each other in SQLite: their rowid, unless given. */
  readonly identity: readonly string[];
  readonly [value]?: Row;
}

declare const its: unique symbol;

/** A table with the types of its fields, of which MongoDB's are made. */
export interface NamedTable<Name extends string, Key, F extends Fields> extends Table<RowOf<F>> {
  readonly name: Name;
  readonly [its]?: { readonly fields: F; readonly key: Key };
}

const underscoredNames = new Map<string, string>();

/** As SQLite calls it. Of few names it is asked at every statement. */
export function underscored(name: string): string {
  const known = underscoredNames.get(name);
  if (known !== undefined) return known;
  const made = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  underscoredNames.set(name, made);
  return made;
}

/** Makes a table. MongoDB calls it by its name, SQLite with underscores. */
export function tableOf<Name extends string, Key extends keyof F & string, F extends Fields>(
  name: Name,
  key: Key,
  fields: F,
  { identity }: { identity?: readonly (keyof F & string)[] } = {},
): NamedTable<Name, Key, F> {
  return { name, table: underscored(name), key, fields, identity: identity ?? ["rowid"] };
}

/** What a field is called in SQLite. */
export const columnOf = (name: string, { column, kind }: Field<unknown>): string =>
  column ?? (kind === "place" ? "rowid" : underscored(name));

/** The columns that tell a table's rows from each other in SQLite. */
export const identityOf = ({ identity, fields }: Pick<Table<never>, "identity" | "fields">): string[] =>
  identity.map((name) => {
    const field: Field<unknown> | undefined = fields[name];
    return field === undefined ? name : columnOf(name, field);
  });
