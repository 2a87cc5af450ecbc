/**
 * Client apps: listed, registered, edited, removed; their secrets rotated. Those of the configuration are
 * read-only.
 */

import type { z } from "zod";
import type { Instant } from "../../clock.ts";
import { clientOf, settingsOf } from "../../domain/client-metadata.ts";
import {
  type ClientSettings,
  defaultSettings,
  hasSecret,
  settingFaults,
} from "../../domain/client-settings.ts";
import { asClientId } from "../../domain/ids.ts";
import { privateHostProblem } from "../../domain/private-hosts.ts";
import type { Client, ClientUse } from "../../domain/records.ts";
import { clientRevision } from "../../domain/revision.ts";
import { randomId, randomSecret } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import { checkRecipe, clientSettings } from "../client-settings.ts";
import type { client, clients as clientsDefined } from "../definitions/clients.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { listed, time, timeOrNull } from "../fields.ts";
import { answered, type CallContext, EditConflict, type HandlersOf, InputError } from "../operation.ts";
import { isScope } from "../scopes.ts";
import { given } from "./organizations.ts";

/** What has been registered since isn't refused any more. */
function addressesOf(one: Client, parameter: "redirect_uri" | "post_logout_redirect_uri"): string[] {
  const { redirect_uris, post_logout_redirect_uris } = settingsOf(one);
  return parameter === "redirect_uri" ? redirect_uris : post_logout_redirect_uris;
}

function write(one: Client, use: ClientUse | undefined, now: Instant): z.input<typeof client> {
  const until = one.previousSecret?.until ?? null;
  return {
    id: one.id,
    ...settingsOf(one),
    managed_by: one.managedBy,
    previous_secret_until: until !== null && until > now ? time(until) : null,
    last_used_at: timeOrNull(use?.usedAt ?? null),
    previous_secret_last_used_at: timeOrNull(use?.previousUsedAt ?? null),
    refused_addresses: (use?.refusedAddresses ?? [])
      .filter(({ parameter, address }) => !addressesOf(one, parameter).includes(address))
      .map(({ at, ...refused }) => ({ ...refused, at: time(at) })),
  };
}

interface Fault {
  field: string;
  problem: string;
}

/** What is wrong with the addresses that Liaison posts to, beyond how they are written. */
function notPostedTo(
  { backchannel_logout_uri: uri }: ClientSettings,
  privateHosts: readonly string[],
): Fault[] {
  const problem = uri === null ? undefined : privateHostProblem(uri, privateHosts);
  return problem === undefined ? [] : [{ field: "backchannel_logout_uri", problem }];
}

type ClientHandlers = HandlersOf<typeof clientsDefined>;

export function clientHandlers(dependencies: OperationDependencies): ClientHandlers {
  const tools = clientTools(dependencies);
  return {
    ...readingHandlers(dependencies, tools),
    create: createClient(dependencies, tools),
    edit: editClient(dependencies, tools),
    rotateSecret: rotateSecret(dependencies, tools),
    remove: removeClient(dependencies, tools),
  };
}

type Tools = ReturnType<typeof clientTools>;

function clientTools({ store, clients, config, clientProblem }: OperationDependencies) {
  const find = async (id: string): Promise<Client> => {
    const found = await clients.find(asClientId(id));
    if (found === undefined || clients.isOwn(found))
      throw LiaisonError.notFound("There is no such client app.");
    return found;
  };
  const answer = async (one: Client, now: Instant) => {
    const [use] = await store.clients.uses([one.id]);
    return { output: write(one, use, now), revision: clientRevision(one) };
  };
  /** Reads one that may be changed. */
  const findStored = async (id: string) => {
    const found = await find(id);
    if (found.managedBy === "admin") return found;
    throw LiaisonError.conflict("This client app stands in the configuration: change it there.");
  };
  /**
   * A machine may do what its scopes say: nobody but who makes administrators, and has them, hands that out.
   */
  const mayHandOut = ({ preset, scopes }: ClientSettings, { need }: CallContext): void => {
    if (preset !== "machine") return;
    need("admins:write");
    scopes.filter(isScope).forEach(need);
  };
  /** Of a client as it would be. @throws InputError with everything that is wrong with it */
  const check = async (wanted: ClientSettings, candidate: Client, call: CallContext): Promise<void> => {
    const faults = [...settingFaults(wanted), ...notPostedTo(wanted, config.private_hosts)];
    if (faults.length > 0) throw new InputError(faults);
    mayHandOut(wanted, call);
    const problem = await clientProblem(candidate);
    if (problem !== undefined) throw new InputError([{ field: "", problem }]);
  };
  return { find, findStored, answer, check, mayHandOut };
}

function readingHandlers(
  { store, clients, config }: OperationDependencies,
  { find, answer }: Tools,
): Pick<ClientHandlers, "list" | "get" | "settings" | "impact"> {
  return {
    list: async (_input, { now }) => {
      const all = [...clients.configured, ...(await store.clients.list())];
      const uses = new Map(
        (await store.clients.uses(all.map(({ id }) => id))).map((use) => [use.clientId, use]),
      );
      return { output: listed({ items: all, next: null }, (one) => write(one, uses.get(one.id), now)) };
    },
    get: async ({ id }, { now }) => await answer(await find(id), now),
    settings: async ({ id, for: recipe }) => {
      const found = await find(id);
      checkRecipe(settingsOf(found), recipe);
      return { output: clientSettings(found, { issuer: config.issuer, secret: null, recipe }) };
    },
    impact: async ({ id }, { now }) => {
      const one = await find(id);
      const [use] = await store.clients.uses([one.id]);
      const signIns = await store.administration.countGrants(one.id, now, 10_000);
      return { output: { sign_ins: signIns, last_used_at: timeOrNull(use?.usedAt ?? null) } };
    },
  };
}

function createClient(
  { store, clients, config }: OperationDependencies,
  { check }: Tools,
): ClientHandlers["create"] {
  return async ({ id = randomId(), preset, for: recipe, ...input }, call) => {
    const { principal, now, once } = call;
    const wanted: ClientSettings = {
      ...defaultSettings(preset),
      access_policy: { kinds: ["customer", "partner"], plan_required: false, roles: [] },
      ...given(input),
      name: input.name,
    };
    const secret = hasSecret(preset) ? randomSecret() : null;
    const made = clientOf(wanted, { id: asClientId(id), secret, previousSecret: null, managedBy: "admin" });
    await check(wanted, made, call);
    checkRecipe(wanted, recipe);
    // One of the store's own is the transaction's to find: it knows a creation that is repeated.
    if ((await clients.find(asClientId(id)))?.managedBy === "config") {
      throw LiaisonError.conflict("This id is taken: choose another one.");
    }
    const output = { ...write(made, undefined, now), client_secret: secret };
    const key = once(output);
    const outcome = await store.administration.apply(
      { kind: "register_client", client: made },
      { actor: principal.actor, now, ...(key && { once: key }) },
    );
    const result = answered(outcome, "a client app of this id", key, output);
    clients.refresh();
    // Made of what was asked for, so that one who repeats it is told the same; the secret is stored no
    // second time.
    const settings = clientSettings(
      { ...made, id: asClientId(result.id) },
      { issuer: config.issuer, secret: result.client_secret, recipe },
    );
    return {
      output: { ...result, settings },
      revision: clientRevision((await clients.find(asClientId(result.id))) ?? made),
    };
  };
}

function editClient(
  { store, clients }: OperationDependencies,
  { find, findStored, answer, check }: Tools,
): ClientHandlers["edit"] {
  return async ({ id, ...input }, call) => {
    const { principal, now, ifMatch = "" } = call;
    const before = await findStored(id);
    const conflict = async () => new EditConflict(await answer(await find(id), now), given(input));
    if (clientRevision(before) !== ifMatch) throw await conflict();
    const wanted: ClientSettings = { ...settingsOf(before), ...given(input) };
    const after = clientOf(wanted, before);
    await check(wanted, after, call);
    const outcome = await store.administration.apply(
      { kind: "edit_client", client: after, revision: ifMatch },
      { actor: principal.actor, now },
    );
    if (outcome.result === "changed") throw await conflict();
    answered(outcome, "client app", undefined, null);
    clients.refresh();
    return await answer(after, now);
  };
}

function rotateSecret(
  { store, config, secretOverlapMs }: OperationDependencies,
  { findStored, mayHandOut }: Tools,
): ClientHandlers["rotateSecret"] {
  return async ({ id, keep_previous, for: recipe }, call) => {
    const { principal, now, once } = call;
    const before = await findStored(id);
    if (before.secret === null)
      throw LiaisonError.conflict("This client app has no secret: it can't keep one.");
    mayHandOut(settingsOf(before), call);
    checkRecipe(settingsOf(before), recipe);
    const secret = randomSecret();
    const previousUntil = keep_previous ? now + secretOverlapMs : now;
    const output = {
      id,
      client_secret: secret,
      previous_secret_until: keep_previous ? time(previousUntil) : null,
    };
    // Told twice it is one rotation: a second one would end the secret that the app goes on with.
    const key = once(output);
    const outcome = await store.administration.apply(
      { kind: "rotate_secret", clientId: asClientId(id), secret, previousUntil },
      { actor: principal.actor, now, ...(key && { once: key }) },
    );
    const result = answered(outcome, "client app", key, output);
    const settings = clientSettings(before, {
      issuer: config.issuer,
      secret: result.client_secret,
      recipe,
    });
    return { output: { ...result, settings } };
  };
}

function removeClient(
  { store, clients }: OperationDependencies,
  { findStored }: Tools,
): ClientHandlers["remove"] {
  return async ({ id }, { principal, now, need }) => {
    if (settingsOf(await findStored(id)).preset === "machine") need("admins:write");
    const outcome = await store.administration.apply(
      { kind: "remove_client", clientId: asClientId(id) },
      { actor: principal.actor, now },
    );
    answered(outcome, "client app", undefined, null);
    clients.refresh();
    return { output: {} };
  };
}
