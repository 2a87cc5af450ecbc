/**
 * A client's settings as the fields of its form hold them, and back: an entry for each setting that there
 * is.
 */

import {
  type ClientSettings,
  defaultSettings,
  type Preset,
  type SettingName,
  settingNames,
} from "../../domain/client-settings.ts";
import type { Typed } from "../definitions/definition.ts";
import type { operations } from "../definitions/operations.ts";
import { ALL_SCOPES } from "../scopes.ts";
import { type FormValues, fieldValue, isTicked, linesOf } from "./form-values.ts";

/** Ticks come back in the order of the form. */
const KINDS = ["customer", "partner", "operator"] as const;

interface FormSetting<Value> {
  /**
   * As the operations take it, unchecked. Undefined where the form says nothing of it: it stays as it is
   * then.
   */
  read(values: FormValues): unknown;
  write(value: Value): FormValues;
}

const text = (name: string): FormSetting<string> => ({
  read: (values) => fieldValue(values, name) ?? "",
  write: (value) => ({ [name]: [value] }),
});

const textOrNone = (name: string): FormSetting<string | null> => ({
  read: (values) => (name in values ? (fieldValue(values, name) ?? null) : undefined),
  write: (value) => ({ [name]: value === null ? [] : [value] }),
});

const lines = (name: string): FormSetting<string[]> => ({
  read: (values) => linesOf(values, name),
  write: (value) => ({ [name]: value }),
});

const choice = (name: string): FormSetting<string> => ({
  read: (values) => fieldValue(values, name),
  write: (value) => ({ [name]: [value] }),
});

const yesOrNo = (name: string): FormSetting<boolean> => ({
  read: (values) => {
    const chosen = fieldValue(values, name);
    return chosen === "true" ? true : chosen === "false" ? false : chosen;
  },
  write: (value) => ({ [name]: [String(value)] }),
});

const formSettings: { [Name in SettingName]: FormSetting<ClientSettings[Name]> } = {
  name: text("name"),
  home_url: text("home_url"),
  about_url: textOrNone("about_url"),
  redirect_uris: lines("redirect_uris"),
  post_logout_redirect_uris: lines("post_logout_redirect_uris"),
  initiate_login_uri: textOrNone("initiate_login_uri"),
  backchannel_logout_uri: textOrNone("backchannel_logout_uri"),
  backchannel_logout_session_required: yesOrNo("backchannel_logout_session_required"),
  token_endpoint_auth_method: choice("token_endpoint_auth_method"),
  id_token_signed_response_alg: choice("id_token_signed_response_alg"),
  claims_in_id_token: yesOrNo("claims_in_id_token"),
  refresh_tokens: yesOrNo("refresh_tokens"),
  listed: yesOrNo("listed"),
  pkce_required: yesOrNo("pkce_required"),
  access_policy: {
    read: (values) => ({
      kinds: values["kinds"] ?? [],
      plan_required: isTicked(values, "plan_required"),
      roles: linesOf(values, "roles"),
    }),
    write: ({ kinds, plan_required, roles }) => ({
      kinds: KINDS.filter((kind) => kinds.includes(kind)),
      plan_required: plan_required ? ["true"] : [],
      roles,
    }),
  },
  scopes: {
    read: (values) => values["scopes"] ?? [],
    write: (scopes) => ({ scopes: ALL_SCOPES.filter((scope) => scopes.includes(scope)) }),
  },
};

type TypedSettings = Omit<Typed<typeof operations.clients.create.input>, "id" | "preset" | "for">;

/** What a form says of a client, as the operations take it. */
export function typedSettings(values: FormValues, preset: Preset): TypedSettings {
  const read = settingNames(preset).map((name): [string, unknown] => [name, formSettings[name].read(values)]);
  const typed: { [Name in SettingName]?: unknown } = Object.fromEntries(
    read.filter(([, value]) => value !== undefined),
  );
  return { ...typed, name: typed.name };
}

/** The settings of a client, as its form holds them. */
export function valuesOfSettings(settings: ClientSettings): FormValues {
  const write = <Name extends SettingName>(name: Name) => formSettings[name].write(settings[name]);
  return Object.assign({}, ...settingNames(settings.preset).map(write)) as FormValues;
}

/** What the form of a new client holds before anything is typed. */
export function newValues(preset: Preset): FormValues {
  const access_policy: ClientSettings["access_policy"] = {
    kinds: ["customer"],
    plan_required: false,
    roles: [],
  };
  return valuesOfSettings({ ...defaultSettings(preset), name: "", access_policy });
}
