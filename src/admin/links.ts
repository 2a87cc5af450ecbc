/** What administrators are told of inquiries and link requests. */

import type { Clock, Instant } from "../clock.ts";
import { parseAddress } from "../domain/address.ts";
import { matchingCode } from "../domain/matching-code.ts";
import { LiaisonError } from "../errors.ts";
import { type Timeline, type TimelineStores, timeline } from "../linking/timeline.ts";
import type { DirectoryStore } from "../storage/contract.ts";
import type { AccountId, Inquiry, ProfileId } from "../storage/records.ts";

export interface LinkAdminParts extends TimelineStores {
  directory: DirectoryStore;
  clock: Clock;
}

/** An inquiry as administrators see it: what was typed is nobody's business. */
export interface ListedInquiry extends Omit<Inquiry, "address"> {
  code: string;
}

export interface LinkAdmin {
  /** Newest first. `email` is a registered address: of all its profiles. @throws LiaisonError `bad_request` for none */
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

export function createLinkAdmin(parts: LinkAdminParts): LinkAdmin {
  const { links, directory, clock } = parts;

  async function profilesAt(email: string): Promise<ProfileId[]> {
    const key = parseAddress(email)?.key;
    if (key === undefined) throw new LiaisonError("bad_request", `${email} is no email address.`);
    return (await directory.membershipsByEmail(key)).map(({ profile }) => profile.id);
  }

  return {
    async list({ email, profileId, accountId, before, limit }) {
      const named = profileId === undefined ? [] : [profileId];
      const profiles = email === undefined ? named : [...named, ...(await profilesAt(email))];
      const account = {
        ...(accountId === undefined ? {} : { accountId }),
        ...(before === undefined ? {} : { before }),
      };
      const anywhere = email === undefined && profileId === undefined;
      const lists = anywhere
        ? [await links.inquiries({ ...account, limit })]
        : await Promise.all(profiles.map((id) => links.inquiries({ ...account, profileId: id, limit })));
      const found = new Map(lists.flat().map((inquiry) => [inquiry.id, inquiry]));
      return [...found.values()]
        .toSorted((one, other) => other.createdAt - one.createdAt)
        .slice(0, limit)
        .map(({ address: _typed, ...inquiry }) => ({ ...inquiry, code: matchingCode(inquiry.id) }));
    },
    async show(id) {
      const found = await timeline(parts, id, clock.now());
      if (found === undefined) throw new LiaisonError("not_found", `There is no inquiry and no request ${id}.`);
      return found;
    },
  };
}
