/** What administrators are told of inquiries and link requests. */

import { setImmediate } from "node:timers/promises";
import type { Clock, Instant } from "../clock.ts";
import { parseAddress } from "../domain/address.ts";
import { matchingCode } from "../domain/matching-code.ts";
import type { AccountId, Inquiry, ProfileId } from "../domain/records.ts";
import { LiaisonError } from "../errors.ts";
import { type Timeline, type TimelineStores, timeline } from "../linking/timeline.ts";
import type { DirectoryStore } from "../storage/contract.ts";
import { registeredUnder } from "./registered.ts";

/**
 * Of how many profiles of one address inquiries are listed, and of how many they are read between two turns
 * of the event loop: whoever asked for an address asked for all its profiles, so that the first tell of the
 * others, too.
 */
const MOST_PROFILES = 500;
const PROFILES_AT_A_TIME = 10;

export interface LinkAdminDependencies extends TimelineStores {
  directory: DirectoryStore;
  clock: Clock;
}

/** An inquiry as administrators see it: what was typed is nobody's business. */
export interface ListedInquiry extends Omit<Inquiry, "address"> {
  code: string;
}

export interface LinkAdmin {
  /**
   * Newest first. `email` is a registered address: of all its profiles. @throws LiaisonError `bad_request`
   * for none
   */
  list(filter: {
    email?: string | undefined;
    profileId?: ProfileId | undefined;
    accountId?: AccountId | undefined;
    before?: Instant | undefined;
    limit: number;
  }): Promise<ListedInquiry[]>;
  /** By the id of the inquiry or of a request. @throws LiaisonError `not_found` */
  show(id: string): Promise<Timeline>;
}

export function createLinkAdmin(dependencies: LinkAdminDependencies): LinkAdmin {
  const { links, directory, clock } = dependencies;

  /** The profiles that inquiries are listed of, part by part. */
  async function* profilesOf(
    email: string | undefined,
    profileId: ProfileId | undefined,
  ): AsyncGenerator<ProfileId[]> {
    if (profileId !== undefined) yield [profileId];
    if (email === undefined) return;
    const key = parseAddress(email)?.key;
    if (key === undefined) throw new LiaisonError("bad_request", `${email} is no email address.`);
    let count = 0;
    for await (const part of registeredUnder(directory, key)) {
      yield part.map(({ profile }) => profile.id);
      count += part.length;
      if (count >= MOST_PROFILES) return;
    }
  }

  return {
    async list({ email, profileId, accountId, before, limit }) {
      const common = {
        ...(accountId === undefined ? {} : { accountId }),
        ...(before === undefined ? {} : { before }),
        limit,
      };
      const newest = (inquiries: readonly Inquiry[]) => {
        const found = new Map(inquiries.map((inquiry) => [inquiry.id, inquiry]));
        return [...found.values()].toSorted((one, other) => other.createdAt - one.createdAt).slice(0, limit);
      };
      let found: Inquiry[] = [];
      if (email === undefined && profileId === undefined) found = await links.inquiries(common);
      for await (const ids of profilesOf(email, profileId)) {
        for (const some of chunksOf(ids, PROFILES_AT_A_TIME)) {
          const lists = await Promise.all(some.map((id) => links.inquiries({ ...common, profileId: id })));
          found = newest([...found, ...lists.flat()]);
          await setImmediate();
        }
      }
      return found.map(({ address: _typed, ...inquiry }) => ({ ...inquiry, code: matchingCode(inquiry.id) }));
    },
    async show(id) {
      const found = await timeline(dependencies, id, clock.now());
      if (found === undefined)
        throw new LiaisonError("not_found", `There is no inquiry and no request ${id}.`);
      return found;
    },
  };
}

function chunksOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}
