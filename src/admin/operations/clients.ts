/** Client apps: listed, registered, edited, removed; their secrets rotated. Those of the configuration are read-only. */

import { z } from "zod";
import { clientOf, settingsOf } from "../../domain/client-metadata.ts";
import {
  type ClientSettings,
  defaultSettings,
  hasSecret,
  PRESETS,
  settingFaults,
  settingShapes,
} from "../../domain/client-settings.ts";
import { asClientId } from "../../domain/ids.ts";
import { privateHostProblem } from "../../domain/private-hosts.ts";
import type { Client, ClientUse } from "../../domain/records.ts";
import { clientRevision } from "../../domain/revision.ts";
import { randomId, randomSecret } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import { checkRecipe, clientSettings, recipeChoice, settingsOutput } from "../client-settings.ts";
import { anyId, instant, kind, listed, listOf, name, newId, time, timeOrNull } from "../fields.ts";
import { type AnyOperation, answered, type CallContext, EditConflict, InputError, operation } from "../operation.ts";
import type { OperationParts } from "../parts.ts";
import { ALL_SCOPES, isScope } from "../scopes.ts";
import { given } from "./organizations.ts";

/** What is typed of a client app, when registering one and when editing it. */
const fields = {
  name: name.optional(),
  ...z.object(settingShapes).partial().shape,
  scopes: z.array(z.enum(ALL_SCOPES)).max(20).optional().meta({ description: "Scopes of this API, of a machine." }),
};

/** Its settings as they are: what was registered under looser rules is shown, too. */
const settings = {
  preset: z.enum(PRESETS),
  name: z.string(),
  home_url: z.string(),
  about_url: z.string().nullable(),
  redirect_uris: z.array(z.string()),
  post_logout_redirect_uris: z.array(z.string()),
  initiate_login_uri: z.string().nullable(),
  backchannel_logout_uri: z.string().nullable(),
  backchannel_logout_session_required: z.boolean(),
  token_endpoint_auth_method: settingShapes.token_endpoint_auth_method,
  id_token_signed_response_alg: settingShapes.id_token_signed_response_alg,
  claims_in_id_token: z.boolean(),
  refresh_tokens: z.boolean(),
  listed: z.boolean(),
  pkce_required: z.boolean(),
  access_policy: z.strictObject({ kinds: z.array(kind), plan_required: z.boolean(), roles: z.array(z.string()) }),
  scopes: z.array(z.string()),
} satisfies Record<keyof ClientSettings, z.ZodType>;

const client = z.strictObject({
  id: anyId,
  ...settings,
  managed_by: z.enum(["config", "admin"]),
  previous_secret_until: instant
    .nullable()
    .meta({ description: "Until when the secret before the last one is taken." }),
  last_used_at: instant.nullable(),
  previous_secret_last_used_at: instant.nullable(),
  refused_addresses: z
    .array(
      z.strictObject({
        parameter: z.enum(["redirect_uri", "post_logout_redirect_uri"]),
        address: z.string(),
        at: instant,
      }),
    )
    .meta({ description: "Addresses that came last with its client_id and aren't registered, newest first." }),
});

/** What has been registered since isn't refused any more. */
function addressesOf(one: Client, parameter: "redirect_uri" | "post_logout_redirect_uri"): string[] {
  const { redirect_uris, post_logout_redirect_uris } = settingsOf(one);
  return parameter === "redirect_uri" ? redirect_uris : post_logout_redirect_uris;
}

function write(one: Client, use: ClientUse | undefined, now: number): z.input<typeof client> {
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
function notPostedTo({ backchannel_logout_uri: uri }: ClientSettings, privateHosts: readonly string[]): Fault[] {
  const problem = uri === null ? undefined : privateHostProblem(uri, privateHosts);
  return problem === undefined ? [] : [{ field: "backchannel_logout_uri", problem }];
}

export function clientOperations(parts: OperationParts): AnyOperation[] {
  const tools = clientTools(parts);
  return [...readingOperations(parts, tools), ...writingOperations(parts, tools)];
}

type Tools = ReturnType<typeof clientTools>;

function clientTools({ store, clients, config, clientProblem }: OperationParts) {
  const find = async (id: string): Promise<Client> => {
    const found = await clients.find(asClientId(id));
    if (found === undefined || clients.isOwn(found))
      throw new LiaisonError("not_found", "There is no such client app.");
    return found;
  };
  const answer = async (one: Client, now: number) => {
    const [use] = await store.clients.uses([one.id]);
    return { output: write(one, use, now), revision: clientRevision(one) };
  };
  /** Reads one that may be changed. */
  const findStored = async (id: string) => {
    const found = await find(id);
    if (found.managedBy === "admin") return found;
    throw new LiaisonError("conflict", "This client app stands in the configuration: change it there.");
  };
  /** A machine may do what its scopes say: nobody but who makes administrators, and has them, hands that out. */
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

function readingOperations({ store, clients, config }: OperationParts, { find, answer }: Tools): AnyOperation[] {
  return [
    operation(
      {
        name: "listClients",
        summary: "List client apps, those of the configuration first, with when each was used last.",
        ...{ scope: "admin:read", method: "GET", path: "/clients" },
        input: z.strictObject({}),
        output: listOf(client),
        command: { name: "clients list", examples: ["liaison clients list", "liaison clients list --json"] },
      },
      async (_input, { now }) => {
        const all = [...clients.configured, ...(await store.clients.list())];
        const uses = new Map((await store.clients.uses(all.map(({ id }) => id))).map((use) => [use.clientId, use]));
        return { output: listed({ items: all, next: null }, (one) => write(one, uses.get(one.id), now)) };
      },
    ),
    operation(
      {
        name: "getClient",
        summary: "Show a client app.",
        ...{ scope: "admin:read", method: "GET", path: "/clients/{id}", hasRevision: true },
        input: z.strictObject({ id: anyId }),
        output: client,
        command: { name: "clients show", operand: "id", examples: ["liaison clients show customersource"] },
      },
      async ({ id }, { now }) => await answer(await find(id), now),
    ),
    operation(
      {
        name: "getClientSettings",
        summary: "Show what a developer of the client app needs: all settings, and recipes for common libraries.",
        ...{ scope: "admin:read", method: "GET", path: "/clients/{id}/settings" },
        input: z.strictObject({ id: anyId, for: recipeChoice }),
        output: settingsOutput,
        command: {
          name: "clients settings",
          operand: "id",
          examples: [
            "liaison clients settings customersource",
            "liaison clients settings customersource --for openid-client",
          ],
        },
      },
      async ({ id, for: recipe }) => {
        const found = await find(id);
        checkRecipe(settingsOf(found), recipe);
        return { output: clientSettings(found, { issuer: config.issuer, secret: null, recipe }) };
      },
    ),
    operation(
      {
        name: "getClientImpact",
        summary: "Say what would stop working if the client app were removed.",
        ...{ scope: "admin:read", method: "GET", path: "/clients/{id}/impact" },
        input: z.strictObject({ id: anyId }),
        output: z.strictObject({
          sign_ins: z.int().meta({ description: "Sign-ins that it holds now, counted up to 10,000." }),
          last_used_at: instant.nullable(),
        }),
        command: { name: "clients impact", operand: "id", examples: ["liaison clients impact customersource"] },
      },
      async ({ id }, { now }) => {
        const one = await find(id);
        const [use] = await store.clients.uses([one.id]);
        const signIns = await store.administration.countGrants(one.id, now, 10_000);
        return { output: { sign_ins: signIns, last_used_at: timeOrNull(use?.usedAt ?? null) } };
      },
    ),
  ];
}

function writingOperations(
  parts: OperationParts,
  { find, findStored, answer, check, mayHandOut }: Tools,
): AnyOperation[] {
  const { store, clients, config, secretOverlapMs } = parts;
  const { administration } = store;
  return [
    operation(
      {
        name: "createClient",
        summary: "Register a client app. Its secret, where it has one, is shown this once.",
        ...{ scope: "clients:write", method: "POST", path: "/clients", kind: "creates" },
        input: z.strictObject({
          id: newId.optional(),
          preset: z.enum(PRESETS),
          ...fields,
          name,
          for: recipeChoice,
        }),
        output: client.extend({ client_secret: z.string().nullable(), settings: settingsOutput }),
        command: {
          name: "clients create",
          examples: [
            'liaison clients create --preset web --name CustomerSource --home-url https://customers.contoso.example/ --redirect-uris https://customers.contoso.example/callback --access-policy \'{"kinds":["customer"]}\'',
            "liaison clients create --preset machine --name crm-sync --scopes directory:write",
          ],
        },
      },
      async ({ id = randomId(), preset, for: recipe, ...input }, call) => {
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
          throw new LiaisonError("conflict", "This id is taken: choose another one.");
        }
        const output = { ...write(made, undefined, now), client_secret: secret };
        const key = once(output);
        const outcome = await administration.carryOut(
          { kind: "register_client", client: made },
          { actor: principal.actor, now, ...(key && { once: key }) },
        );
        const result = answered(outcome, "a client app of this id", key, output);
        clients.refresh();
        // Made of what was asked for, so that one who repeats it is told the same; the secret is stored no second time.
        const settings = clientSettings(
          { ...made, id: asClientId(result.id) },
          { issuer: config.issuer, secret: result.client_secret, recipe },
        );
        return {
          output: { ...result, settings },
          revision: clientRevision((await clients.find(asClientId(result.id))) ?? made),
        };
      },
    ),
    operation(
      {
        name: "editClient",
        summary: "Edit a client app; what is left out stays. It holds from its next request on.",
        ...{ scope: "clients:write", method: "PATCH", path: "/clients/{id}", kind: "edits" },
        input: z.strictObject({ id: anyId, ...fields }),
        output: client,
        command: {
          name: "clients edit",
          operand: "id",
          examples: ["liaison clients edit customersource --name 'CustomerSource 2'"],
        },
      },
      async ({ id, ...input }, call) => {
        const { principal, now, ifMatch = "" } = call;
        const before = await findStored(id);
        const conflict = async () => new EditConflict(await answer(await find(id), now), given(input));
        if (clientRevision(before) !== ifMatch) throw await conflict();
        const wanted: ClientSettings = { ...settingsOf(before), ...given(input) };
        const after = clientOf(wanted, before);
        await check(wanted, after, call);
        const outcome = await administration.carryOut(
          { kind: "edit_client", client: after, revision: ifMatch },
          { actor: principal.actor, now },
        );
        if (outcome.result === "changed") throw await conflict();
        answered(outcome, "client app", undefined, null);
        clients.refresh();
        return await answer(after, now);
      },
    ),
    operation(
      {
        name: "rotateClientSecret",
        summary: "Give a client app a new secret, shown this once. The one before goes on for a while.",
        ...{ scope: "clients:write", method: "POST", path: "/clients/{id}/secret", kind: "creates" },
        input: z.strictObject({
          id: anyId,
          keep_previous: z.boolean().default(true).meta({ description: "Whether the one before goes on for a while." }),
          for: recipeChoice,
        }),
        output: z.strictObject({
          id: anyId,
          client_secret: z.string(),
          previous_secret_until: instant.nullable(),
          settings: settingsOutput,
        }),
        command: { name: "clients rotate", operand: "id", examples: ["liaison clients rotate customersource"] },
      },
      async ({ id, keep_previous, for: recipe }, call) => {
        const { principal, now, once } = call;
        const before = await findStored(id);
        if (before.secret === null)
          throw new LiaisonError("conflict", "This client app has no secret: it can't keep one.");
        mayHandOut(settingsOf(before), call);
        checkRecipe(settingsOf(before), recipe);
        const secret = randomSecret();
        const previousUntil = keep_previous ? now + secretOverlapMs : now;
        const output = { id, client_secret: secret, previous_secret_until: keep_previous ? time(previousUntil) : null };
        // Told twice it is one rotation: a second one would end the secret that the app goes on with.
        const key = once(output);
        const outcome = await administration.carryOut(
          { kind: "rotate_secret", clientId: asClientId(id), secret, previousUntil },
          { actor: principal.actor, now, ...(key && { once: key }) },
        );
        const result = answered(outcome, "client app", key, output);
        const settings = clientSettings(before, { issuer: config.issuer, secret: result.client_secret, recipe });
        return { output: { ...result, settings } };
      },
    ),
    operation(
      {
        name: "deleteClient",
        summary: "Remove a client app: every sign-in it holds ends, and nobody can sign in to it any more.",
        ...{ scope: "clients:write", method: "DELETE", path: "/clients/{id}" },
        input: z.strictObject({ id: anyId }),
        output: z.strictObject({}),
        command: { name: "clients remove", operand: "id", examples: ["liaison clients remove customersource"] },
      },
      async ({ id }, { principal, now, need }) => {
        if (settingsOf(await findStored(id)).preset === "machine") need("admins:write");
        const outcome = await administration.carryOut(
          { kind: "remove_client", clientId: asClientId(id) },
          { actor: principal.actor, now },
        );
        answered(outcome, "client app", undefined, null);
        clients.refresh();
        return { output: {} };
      },
    ),
  ];
}
