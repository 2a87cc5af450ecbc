/** Client apps: listed, registered, edited, removed; their secrets rotated. Those of the configuration are read-only. */

import { z } from "zod";
import { privateHostProblem } from "../../domain/private-hosts.ts";
import { randomId, randomSecret } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import type { Client, ClientUse } from "../../storage/records.ts";
import { clientRevision } from "../../storage/revision.ts";
import { type ClientApp, hasSecret, PRESETS, toApp, toClient } from "../client-apps.ts";
import { checkRecipe, clientSettings, recipeChoice, settingsOutput } from "../client-settings.ts";
import { anyId, instant, kind, listed, listOf, name, newId, portalUri, time, timeOrNull, webUrl } from "../fields.ts";
import { type AnyOperation, answered, type CallContext, EditConflict, InputError, operation } from "../operation.ts";
import type { OperationParts } from "../parts.ts";
import { ALL_SCOPES, isScope } from "../scopes.ts";
import { given } from "./organizations.ts";

const accessPolicy = z.strictObject({
  kinds: z.array(kind).min(1, "name at least one kind of organization").max(3),
  plan_required: z.boolean().default(false),
  roles: z.array(z.string().min(1).max(128)).max(50).default([]),
});
const uris = z.array(portalUri).max(20);
const scopes = z.array(z.enum(ALL_SCOPES)).max(20);

const client = z.strictObject({
  id: anyId,
  preset: z.enum(PRESETS),
  name: z.string(),
  home_url: z.string(),
  about_url: z.string().nullable(),
  redirect_uris: z.array(z.string()),
  post_logout_redirect_uris: z.array(z.string()),
  initiate_login_uri: z.string().nullable(),
  backchannel_logout_uri: z.string().nullable(),
  refresh_tokens: z.boolean(),
  claims_in_id_token: z.boolean(),
  access_policy: z.strictObject({ kinds: z.array(kind), plan_required: z.boolean(), roles: z.array(z.string()) }),
  scopes: z.array(z.string()),
  managed_by: z.enum(["config", "admin"]),
  previous_secret_until: instant
    .nullable()
    .meta({ description: "Until when the secret before the last one is taken." }),
  last_used_at: instant.nullable(),
  previous_secret_last_used_at: instant.nullable(),
});

function write(one: Client, use: ClientUse | undefined, now: number): z.input<typeof client> {
  const app = toApp(one);
  const { kinds, planRequired, roles } = one.policy;
  const until = one.previousSecret?.until ?? null;
  return {
    ...{ id: app.id, preset: app.preset, name: app.name, home_url: app.homeUrl, about_url: app.aboutUrl },
    ...{ redirect_uris: app.redirectUris, post_logout_redirect_uris: app.postLogoutRedirectUris },
    ...{ initiate_login_uri: app.initiateLoginUri, backchannel_logout_uri: app.backchannelLogoutUri },
    ...{ refresh_tokens: app.refreshTokens, claims_in_id_token: app.claimsInIdToken, scopes: app.scopes },
    access_policy: { kinds, plan_required: planRequired, roles },
    managed_by: one.managedBy,
    previous_secret_until: until !== null && until > now ? time(until) : null,
    last_used_at: timeOrNull(use?.usedAt ?? null),
    previous_secret_last_used_at: timeOrNull(use?.previousUsedAt ?? null),
  };
}

/** What is typed of a client app, when registering one and when editing it. */
const fields = {
  name: name.optional(),
  home_url: webUrl.optional().meta({ description: "Where people start." }),
  about_url: webUrl.nullable().optional(),
  redirect_uris: uris.optional(),
  post_logout_redirect_uris: uris.optional(),
  initiate_login_uri: webUrl.nullable().optional(),
  backchannel_logout_uri: portalUri.nullable().optional().meta({
    description:
      "Where logout tokens are posted. On loopback or a private network only if the configuration names host and port under private_hosts.",
  }),
  refresh_tokens: z.boolean().optional(),
  claims_in_id_token: z.boolean().optional(),
  access_policy: accessPolicy.optional(),
  scopes: scopes.optional().meta({ description: "Scopes of this API, of a machine." }),
};
type Typed = z.output<z.ZodObject<typeof fields>>;

function typed(input: Typed, before: ClientApp): ClientApp {
  const { home_url, about_url, redirect_uris, post_logout_redirect_uris, initiate_login_uri } = input;
  const policy = input.access_policy;
  return {
    ...before,
    ...given({ name: input.name, homeUrl: home_url, aboutUrl: about_url, redirectUris: redirect_uris }),
    ...given({ postLogoutRedirectUris: post_logout_redirect_uris, initiateLoginUri: initiate_login_uri }),
    ...given({ backchannelLogoutUri: input.backchannel_logout_uri, refreshTokens: input.refresh_tokens }),
    ...given({ claimsInIdToken: input.claims_in_id_token, scopes: input.scopes }),
    ...(policy === undefined
      ? {}
      : { policy: { kinds: policy.kinds, planRequired: policy.plan_required, roles: policy.roles } }),
  };
}

interface Fault {
  field: string;
  problem: string;
}

/** What a client app lacks. */
function lacking({ preset, redirectUris, homeUrl, scopes: given }: ClientApp): Fault[] {
  const isMachine = preset === "machine";
  return [
    ...(!isMachine && redirectUris.length === 0 ? [{ field: "redirect_uris", problem: "name at least one" }] : []),
    ...(!isMachine && homeUrl === "" ? [{ field: "home_url", problem: "write where people start" }] : []),
    ...(isMachine && given.length === 0 ? [{ field: "scopes", problem: "name at least one" }] : []),
    ...(!isMachine && given.length > 0 ? [{ field: "scopes", problem: "only a machine has scopes of this API" }] : []),
  ];
}

/** What is wrong with the addresses that Liaison posts to, beyond how they are written. */
function notPostedTo({ backchannelLogoutUri }: ClientApp, privateHosts: readonly string[]): Fault[] {
  const problem = backchannelLogoutUri === null ? undefined : privateHostProblem(backchannelLogoutUri, privateHosts);
  return problem === undefined ? [] : [{ field: "backchannel_logout_uri", problem }];
}

export function clientOperations(parts: OperationParts): AnyOperation[] {
  const tools = clientTools(parts);
  return [...readingOperations(parts, tools), ...writingOperations(parts, tools)];
}

type Tools = ReturnType<typeof clientTools>;

function clientTools({ store, clients, config, clientProblem }: OperationParts) {
  const find = async (id: string): Promise<Client> => {
    const found = await clients.find(id);
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
  const mayHandOut = ({ preset, scopes }: ClientApp, { need }: CallContext): void => {
    if (preset !== "machine") return;
    need("admins:write");
    scopes.filter(isScope).forEach(need);
  };
  const check = async (app: ClientApp, call: CallContext): Promise<void> => {
    const faults = [...lacking(app), ...notPostedTo(app, config.private_hosts)];
    if (faults.length > 0) throw new InputError(faults);
    mayHandOut(app, call);
    const candidate = toClient(app, { secret: hasSecret(app.preset) ? randomSecret() : null, previousSecret: null });
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
        checkRecipe(toApp(found), recipe);
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
        const app = typed(input, {
          ...{
            id,
            preset,
            name: input.name,
            homeUrl: "",
            aboutUrl: null,
            redirectUris: [],
            postLogoutRedirectUris: [],
          },
          ...{ initiateLoginUri: null, backchannelLogoutUri: null, refreshTokens: true, claimsInIdToken: false },
          ...{ policy: { kinds: ["customer", "partner"], planRequired: false, roles: [] }, scopes: [] },
        });
        await check(app, call);
        checkRecipe(app, recipe);
        // One of the store's own is the transaction's to find: it knows a creation that is repeated.
        if ((await clients.find(id))?.managedBy === "config") {
          throw new LiaisonError("conflict", "This id is taken: choose another one.");
        }
        const secret = hasSecret(preset) ? randomSecret() : null;
        const made = toClient(app, { secret, previousSecret: null });
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
          { ...made, id: result.id },
          { issuer: config.issuer, secret: result.client_secret, recipe },
        );
        return { output: { ...result, settings }, revision: clientRevision((await clients.find(result.id)) ?? made) };
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
        const app = typed(input, toApp(before));
        await check(app, call);
        const { secret, previousSecret } = before;
        const after = toClient(app, { secret, previousSecret });
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
        mayHandOut(toApp(before), call);
        checkRecipe(toApp(before), recipe);
        const secret = randomSecret();
        const previousUntil = keep_previous ? now + secretOverlapMs : now;
        const output = { id, client_secret: secret, previous_secret_until: keep_previous ? time(previousUntil) : null };
        // Told twice it is one rotation: a second one would end the secret that the app goes on with.
        const key = once(output);
        const outcome = await administration.carryOut(
          { kind: "rotate_secret", clientId: id, secret, previousUntil },
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
        if (toApp(await findStored(id)).preset === "machine") need("admins:write");
        const outcome = await administration.carryOut(
          { kind: "remove_client", clientId: id },
          { actor: principal.actor, now },
        );
        answered(outcome, "client app", undefined, null);
        clients.refresh();
        return { output: {} };
      },
    ),
  ];
}
