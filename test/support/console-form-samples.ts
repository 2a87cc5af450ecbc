/**
 * The forms of the administration and its pages that ask first, filled with data: for the samples of all its
 * pages.
 */

import type { roleFields } from "../../src/ui/console/forms.ts";
import type { ConsoleFrame, FormState } from "../../src/ui/console/views.ts";
import { consolePages } from "../../src/ui/console.ts";
import { messages } from "../../src/ui/messages.ts";
import type { Site } from "../../src/ui/views.ts";
import type { Flavour } from "./page-flavours.ts";

export interface Scene {
  data: Flavour;
  site: Site;
  frame: ConsoleFrame;
}

export const consoleForm = ({ data }: Scene, path: string) => ({
  action: `${data.site.basePath}/admin/${path}`,
  csrfToken: data.token,
});

/** A form as it is new, as it comes back with its faults, and as it does where somebody else was first. */
export function formSamples(
  fixture: Scene,
  name: string,
  page: { heading: string; submit: string },
  fields: ReturnType<typeof roleFields>,
  values: FormState["values"],
): Record<string, string> {
  const { site, frame } = fixture;
  const where = {
    section: "people",
    ...page,
    back: { url: "/admin/people", label: fixture.data.who },
  } as const;
  const state: FormState = { form: consoleForm(fixture, name), values, faults: [], revision: "3" };
  const faults = fields.map(({ name: field }) => ({ field, problem: "write at most 200 characters" }));
  const differences = fields.map(({ name: field }) => ({ field, yours: fixture.data.who, current: "" }));
  const show = (more: Partial<FormState>) =>
    consolePages.formPage(site, frame, where, { ...state, ...more }, fields);
  return {
    [name]: show({}),
    [`${name}Wrong`]: show({ values: {}, faults }),
    [`${name}Overtaken`]: show({ differences }),
  };
}

/** The pages that ask first, in the words of the catalogue: what each comes to is the routes' to say. */
export function confirmations(fixture: Scene): Record<string, string> {
  const { site, frame, data } = fixture;
  const t = messages(site.locale);
  const back = { url: "/admin/accounts/1", label: data.who };
  const ask = (heading: string, submit: string, consequences: string[]) =>
    consolePages.confirmPage(site, frame, {
      section: "accounts",
      heading,
      submit,
      consequences,
      back,
      form: consoleForm(fixture, "accounts/1/end"),
    });
  const ends = [t.text("admin.endsTokens"), t.text("admin.endSessionAgain")];
  const portals = data.site.portals.map(({ name }) => name).join(", ");
  return {
    endSession: ask(t.text("admin.endSessionTitle", { account: data.who }), t.text("admin.endSession"), [
      t.text("admin.endSessionOf", { browser: "Firefox on Windows", network: "2001:db8:1234:5678::/64" }),
      t.text("admin.endSessionPortals", { portals }),
      ...ends,
    ]),
    endAll: ask(t.text("admin.endAllTitle", { account: data.who }), t.text("admin.endAll"), [
      t.text("admin.endAllCount", { count: 4 }),
      ...ends,
    ]),
    rotate: ask(
      t.text("admin.clients.rotateTitle", { client: data.portal.name }),
      t.text("admin.clients.rotateButton"),
      [
        t.text("admin.clients.rotateOnce"),
        t.text("admin.clients.rotateHint"),
        t.text("admin.clients.rotateThird"),
      ],
    ),
    removeKey: ask(t.text("admin.keys.removeTitle", { name: data.who }), t.text("admin.keys.removeSubmit"), [
      t.text("admin.keys.removeAfter"),
    ]),
  };
}
