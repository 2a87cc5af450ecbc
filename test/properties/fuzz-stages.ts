/** Half-finished journeys: what a browser holds at each place of them, for requests that come from there. */

import assert from "node:assert/strict";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { almostCarryOut, bindTo, hesitant } from "../support/attack-fixture.ts";
import {
  type Liaison,
  people,
  portalSecret,
  register,
  signIn,
  signInUpstream,
  type TestPerson,
} from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

export interface Stage {
  name: string;
  cookies: [string, string][];
  /** What goes well with these cookies, by the name of a path's or a form's field. */
  values: Record<string, string>;
}

/** A registered address that no request may ever spell rightly: nobody is to be mailed. */
export const victimAddress = "victim@northwind.example";
/** Registers who is needed, `member` of them bound, and has one link mailed. Returns the link. */
export async function prepareStages(liaison: Liaison, member: TestPerson): Promise<string> {
  await register(liaison, { id: asOrganizationId("northwind") }, [
    { id: "victim", email: victimAddress },
    { id: "one", email: "one@northwind.example" },
    { id: "two", email: "two@northwind.example" },
    { id: "only", email: "only@northwind.example" },
  ]);
  await bindTo(liaison, people.eve, "one", "two");
  await bindTo(liaison, member, "only");
  const browser = liaison.browser();
  const linkStep = await signIn(browser, await liaison.customerSource.start(), people.ben);
  await browser.press(linkStep, "Continue", { email: victimAddress });
  // Three notices of the bindings above, and the link.
  const mails = await liaison.mailbox.arrived(4);
  return linkIn(mails.find(({ to }) => to === victimAddress) ?? assert.fail("no link"));
}

/** Walks to every stage anew. */
export async function reachStages(
  liaison: Liaison,
  { link, member }: { link: string; member: TestPerson },
): Promise<Stage[]> {
  const { customerSource } = liaison;
  const start = async (more = {}) => (await customerSource.start(more)).url.href;

  const choosing = liaison.browser();
  const signInPage = await choosing.visit(await start());

  const hesitating = hesitant();
  const leavingPage = await hesitating.visit(await start());
  const login = await hesitating.press(leavingPage, /Fabrikam ID/);
  const callback = (await signInUpstream(hesitating, login, people.ann)).url;

  const asking = liaison.browser();
  const linkStep = await signIn(asking, await customerSource.start(), people.ann);
  const waiting = liaison.browser();
  const step = await signIn(waiting, await customerSource.start(), people.ann);
  const waitingPage = await waiting.press(step, "Continue", { email: "nobody@unknown.example" });

  const selecting = liaison.browser();
  const chooser = await signIn(
    selecting,
    await customerSource.start({ prompt: "select_account" }),
    people.eve,
  );

  const opening = liaison.browser();
  const landing = await opening.visit(link);
  const returning = await almostCarryOut(link, people.ann);

  const inside = liaison.browser();
  const first = await customerSource.start();
  const tokens = await customerSource.exchange((await signIn(inside, first, member)).url, first);
  const second = await customerSource.start();
  const code = (await inside.visit(second.url)).url.searchParams.get("code") ?? assert.fail("no code");
  const leaving = await inside.visit(`${liaison.issuer}/logout`);

  const client = { client_id: "customersource", client_secret: portalSecret };
  const held = {
    code,
    code_verifier: second.codeVerifier,
    access_token: tokens.access_token,
    token: tokens.access_token,
    refresh_token: tokens.refresh_token ?? code,
    id_token_hint: tokens.id_token ?? code,
  };
  const [requestId = "", secret = ""] = new URL(link).pathname.split("/").slice(-2);
  return [
    { name: "nobody", cookies: [], values: { ...client } },
    stage("sign-in page", choosing, signInPage, { upstream: "fabrikam" }),
    stage("before the callback", hesitating, leavingPage, Object.fromEntries(callback.searchParams)),
    stage("link step", asking, linkStep, { email: "nobody@unknown.example" }),
    stage("waiting", waiting, waitingPage, {}),
    stage("chooser", selecting, chooser, { profile_id: "two" }),
    stage("mailed link", opening, landing, { requestId, secret }),
    // The link of somebody else: even its true callback binds nothing.
    stage("mailed link, signed in", returning.browser, await returning.browser.visit(link), {
      requestId,
      secret,
      ...Object.fromEntries(returning.callback.searchParams),
    }),
    stage("signed in", inside, undefined, { ...client, ...held }),
    stage("signing out", inside, leaving, { ...client, ...held, logout: "yes" }),
  ];
}

function stage(
  name: string,
  browser: UserAgent,
  page: Page | undefined,
  values: Record<string, string>,
): Stage {
  // Of those of one name, which differ by their paths, the latest.
  const held = new Map<string, string>();
  for (const { key, value } of browser.jar.serializeSync()?.cookies ?? []) {
    if (key?.startsWith("liaison.") && typeof value === "string" && value !== "") held.set(key, value);
  }
  // Hidden fields: the form's anti-forgery value.
  const fields = Object.fromEntries(
    (page?.dom.querySelectorAll("input[type=hidden]") ?? []).map((input): [string, string] => [
      input.getAttribute("name") ?? "",
      input.getAttribute("value") ?? "",
    ]),
  );
  // Only while it goes on: an ended one takes the other cookie with it.
  const interaction = held.has("liaison.resume") ? held.get("liaison.interaction") : undefined;
  return {
    name,
    cookies: [...held],
    values: { ...(interaction === undefined ? {} : { uid: interaction }), ...fields, ...values },
  };
}
