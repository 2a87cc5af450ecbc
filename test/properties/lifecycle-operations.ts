/**
 * What can happen in a link's life, as plain data, and how chance strings it together. What it comes to is
 * the model's.
 */

import fc from "fast-check";

/** Identities, profiles, organizations and addresses of every lifecycle, by number. */
export const peopleCount = 3;
export const profileCount = 3;
export const organizationCount = 2;
/** The profiles' own two addresses, a spare one, and the first in other letters: see `addressOf`. */
export const addressCount = 4;

export type Spelling = "exact" | "upper" | "padded" | "unknown" | "list" | "cut_off";
export type Secret = "right" | "wrong" | "of_another";

export interface Attempt {
  /** Which of the mailed links, counted from the newest. */
  link: number;
  /** Who signs in, or the one who asked for the link. */
  who: number | "requester";
  secret: Secret;
  /** The identity as the right upstream gives it, or the same issuer and subject through another. */
  upstream: "right" | "wrong";
}

export type Operation =
  | { do: "sign_in"; who: number }
  | { do: "inquire"; who: number; address: number; spelling: Spelling }
  /** Inquire, let the answer leave, answer, deliver. */
  | { do: "ask"; who: number; address: number }
  | { do: "answer"; batchSize: 1 | 100 }
  | { do: "answerer_dies" }
  /** The mail server refuses recipients by address: for now, for good. */
  | { do: "deliver"; refuses: number[]; rejects: number[] }
  | { do: "courier_dies"; after: "claiming" | "sending" }
  | { do: "open"; attempt: Attempt }
  /** At the same time. */
  | { do: "redeem"; attempts: Attempt[] }
  | { do: "decline"; attempt: Attempt }
  | { do: "edit_email"; profile: number; address: number }
  | { do: "switch_profile"; profile: number; enabled: boolean }
  | { do: "switch_organization"; organization: number; enabled: boolean }
  | { do: "unbind"; profile: number; from: number | "anybody" }
  | { do: "wait"; ms: number }
  | { do: "wait_for_expiry"; link: number; ms: number }
  | { do: "wait_for_mail"; ms: number }
  | { do: "sweep" };

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const who = fc.nat(peopleCount - 1);
const profile = fc.nat(profileCount - 1);
const address = fc.nat(addressCount - 1);
const around = fc.constantFrom(-1, 0, 0, 1);
const someAddresses = fc.oneof(
  { weight: 1, arbitrary: fc.constant<number[]>([]) },
  { weight: 1, arbitrary: fc.uniqueArray(address, { minLength: 1, maxLength: 2 }) },
);
const attempt: fc.Arbitrary<Attempt> = fc.record({
  link: fc.oneof(fc.constant(0), fc.nat(5)),
  who: fc.oneof(fc.constant("requester" as const), fc.constant("requester" as const), who),
  secret: fc.constantFrom("right", "right", "right", "right", "right", "wrong", "of_another"),
  upstream: fc.constantFrom("right", "right", "right", "right", "wrong"),
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sign_in" as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("inquire" as const),
      who,
      address,
      spelling: fc.constantFrom<Spelling>("exact", "exact", "upper", "padded", "unknown", "list", "cut_off"),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("ask" as const), who, address }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("answer" as const), batchSize: fc.constantFrom(1, 100) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "answerer_dies" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      refuses: someAddresses,
      rejects: someAddresses,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("courier_dies" as const),
      after: fc.constantFrom("claiming", "sending"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("open" as const), attempt }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("redeem" as const),
      attempts: fc.array(attempt, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("decline" as const), attempt }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("edit_email" as const), profile, address }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("switch_profile" as const), profile, enabled: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("switch_organization" as const),
      organization: fc.nat(organizationCount - 1),
      enabled: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("unbind" as const),
      profile,
      from: fc.oneof(fc.constant("anybody" as const), who),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(
        1,
        249,
        250,
        11 * second,
        31 * second,
        61 * second,
        29 * minute,
        3 * hour,
        49 * hour,
        170 * hour,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait_for_expiry" as const), link: fc.nat(2), ms: around }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait_for_mail" as const), ms: around }) },
  { weight: 1, arbitrary: fc.constant({ do: "sweep" as const }) },
);

export const lifecycle: fc.Arbitrary<Operation[]> = fc.array(operation, {
  minLength: 4,
  maxLength: 40,
  size: "max",
});
