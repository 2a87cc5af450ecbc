/**
 * What the cases of the general steps need of an engine, and the rows that they start from. No case lives
 * here.
 */

import { asAccountId, asClientId, asInquiryId, asOrganizationId } from "../../src/domain/ids.ts";
import {
  type Engine,
  inserted,
  type Listing,
  list,
  type New,
  type Steps,
  type Where,
  write,
} from "../../src/storage/steps.ts";
import { type inquiries, type OrganizationRow, type Row, signOuts } from "../../src/storage/tables.ts";
import { anInquiry, NOW } from "../support/records.ts";

/** How the cases get at an engine: each opens it on an empty store and destroys that afterwards. */
export interface EngineBackEnd {
  name: string;
  open(): Promise<OpenEngine>;
}

export interface OpenEngine {
  engine: Engine;
  /** Another engine over the same data, as another process would have it. */
  second(): Promise<Engine>;
  destroy(): Promise<void>;
}

export type SignOutRow = Row<typeof signOuts>;

export const aSignOut = (
  id: string,
  dueAt: number,
  overrides: Partial<New<SignOutRow>> = {},
): New<SignOutRow> => {
  const of = { clientId: asClientId("portal"), accountId: asAccountId("account"), sid: null };
  return { id, ...of, createdAt: NOW, dueAt, attempts: 0, leaseWorker: null, ...overrides };
};

export const anOrganizationRow = (id: string, overrides: Partial<OrganizationRow> = {}): OrganizationRow => {
  const named = { id: asOrganizationId(id), name: id, accountNumber: "1", kind: "customer" } as const;
  return { ...named, enabled: true, planStatus: "none", planExpiresAt: null, ...overrides };
};

export const anInquiryRow = (id: string): New<Row<typeof inquiries>> => {
  const { address: _address, matched: _matched, ...inquiry } = anInquiry({ id: asInquiryId(id) });
  const { issuer, subject, accountId } = inquiry.requester;
  const ofRequester = { issuer, subject, accountId, sealedAddress: null };
  const work = { state: "waiting", leaseWorker: null, leaseUntil: 0, dueAt: inquiry.notBefore } as const;
  return { ...inquiry, ...ofRequester, ...work, matched: null, answeredTo: null };
};

/** Holds for every one: there are sets that read nothing without an index. */
export const every = { dueAt: { gte: 0 } };
export const inOrder = { order: ["dueAt", "seq"] } as const;

/** Five, due one after the other; the last two at once. */
export function* five(): Steps<void> {
  yield* write([
    inserted(signOuts, aSignOut("a", 10, { sid: "x" })),
    inserted(signOuts, aSignOut("b", 20, { sid: "y", attempts: 2 })),
    inserted(signOuts, aSignOut("c", 30, { attempts: 1 })),
    inserted(signOuts, aSignOut("d", 40, { sid: "x", leaseWorker: "w" })),
    inserted(signOuts, aSignOut("e", 40, { attempts: 2 })),
  ]);
}

export function* ids(where: Where<SignOutRow>, listing: Listing<SignOutRow> = inOrder): Steps<string> {
  return (yield* list(signOuts, where, listing)).map(({ id }) => id).join("");
}

export type Declare = (name: string, body: (opened: OpenEngine) => Promise<void>) => unknown;
