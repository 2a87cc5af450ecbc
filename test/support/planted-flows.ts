/**
 * What a planter does with a person, in a real Chromium each (L20): he begins something at the broker, plants
 * cookies of his own in her browser, has her sign in for it, and goes on by his own addresses. And what must
 * have come of it: nothing of hers reached him, nothing of his stuck to her, she was told what to do, and her
 * own sign-in works.
 */

import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { parseAddress } from "../../src/domain/address.ts";
import { asOrganizationId, asProfileId, type ProfileId } from "../../src/domain/ids.ts";
import { randomId } from "../../src/domain/secrets.ts";
import { register, type TestPerson } from "./liaison.ts";
import { linkIn } from "./mailbox.ts";
import type { PlantedDeployment } from "./planter.ts";

export type Flow = "sign-in" | "forced sign-in" | "link" | "decline" | "console";

/** Somebody in a browser of their own, with a profile that is theirs. */
interface Visitor {
  person: TestPerson;
  context: BrowserContext;
  page: Page;
  profileId: string;
  address: string;
}

/**
 * The planter's cookies that are planted: all, or those of some kinds (`interaction`, with its signature).
 */
export type Planted = "all" | readonly string[];

const timeoutMs = 15_000;

/** Plays one flow. Returns the kinds of cookies that the planter had to plant. */
export async function runFlow(
  deployment: PlantedDeployment,
  flow: Flow,
  planted: Planted,
): Promise<string[]> {
  const [planter, her] = [await arrive(deployment, flow), await arrive(deployment, flow)];
  try {
    const begun = await begin(deployment, flow, planter);
    const cookies = (await planter.context.cookies()).filter(({ name }) => name.includes("liaison."));
    const chosen = cookies.filter(({ name }) => planted === "all" || planted.includes(kindOf(name)));
    assert.ok(
      chosen.length > 0,
      `the planter has no cookie of the kind ${planted}: ${cookies.map(({ name }) => name)}`,
    );
    const answersBefore = deployment.portal.answers.length;
    await her.page.goto(deployment.plant(chosen, begun));
    await authenticate(her);
    assert.match(await textOf(her.page), /you can do|At the portal|Overview/);
    const hersSoFar = deployment.portal.answers.length;

    await assertNothingOfHers(deployment, planter, her);
    assert.equal(
      deployment.portal.answers.length,
      hersSoFar,
      "the planter came to the portal with an answer",
    );
    assert.ok(hersSoFar - answersBefore <= 1);
    await assertHerOwnWay(deployment, flow, her, planter);
    return [...new Set(cookies.map(({ name }) => kindOf(name)))];
  } finally {
    await planter.context.close();
    await her.context.close();
  }
}

/** `__Secure-liaison.link.<id>` → `link`; a signature goes with what it signs. */
function kindOf(name: string): string {
  return /liaison\.(console\.begin|[a-z]+)/.exec(name)?.[1] ?? name;
}

async function arrive(deployment: PlantedDeployment, flow: Flow): Promise<Visitor> {
  const person = deployment.stranger();
  const [profileId, address] = [`p${randomId()}`, `${person.username}@registered.example`];
  const kind = flow === "console" ? "operator" : "customer";
  await register(deployment, { id: asOrganizationId(`o${randomId()}`), kind }, [
    { id: profileId, email: address, name: person.name },
  ]);
  const context = await deployment.arrive();
  context.setDefaultTimeout(timeoutMs);
  const visitor = { person, context, page: await context.newPage(), profileId, address };
  if (flow !== "link" && flow !== "decline") await bind(deployment, visitor);
  if (flow === "console") await makeAdministrator(deployment, asProfileId(profileId));
  return visitor;
}

/**
 * Binds as a redeemed link does, with a browser that is closed again: the person's own has seen nothing yet.
 */
async function bind(deployment: PlantedDeployment, visitor: Visitor): Promise<void> {
  const context = await deployment.arrive();
  context.setDefaultTimeout(timeoutMs);
  const elsewhere = { ...visitor, context, page: await context.newPage() };
  await signInAtPortal(deployment, elsewhere);
  await redeem(deployment, elsewhere, await askForLink(deployment, elsewhere));
  await context.close();
}

async function makeAdministrator({ store, clock }: PlantedDeployment, profileId: ProfileId): Promise<void> {
  const change = { kind: "set_admin_role", profileId, adminRole: "owner" } as const;
  const outcome = await store.administration.apply(change, { actor: "test", now: clock.now() });
  assert.equal(outcome.result, "done");
}

/**
 * What the planter begins, up to the upstream's door; returns the address there that he was sent to, and
 * leads her to.
 */
async function begin(deployment: PlantedDeployment, flow: Flow, planter: Visitor): Promise<string> {
  let sentTo = "";
  planter.context.on("request", (request) => {
    const { searchParams } = new URL(request.url());
    if (/\/upstream\/[^/]+\/callback$/.test(searchParams.get("redirect_uri") ?? "")) sentTo = request.url();
  });
  await goToTheDoor(deployment, flow, planter);
  assert.notEqual(sentTo, "");
  return sentTo;
}

async function goToTheDoor(deployment: PlantedDeployment, flow: Flow, planter: Visitor): Promise<void> {
  const { page } = planter;
  switch (flow) {
    case "sign-in":
      await page.goto(authorization(deployment));
      return await leave(page, /Fabrikam ID/);
    case "forced sign-in":
      // In a session of his own, so that he has that to plant as well.
      await signInAtPortal(deployment, planter);
      await page.goto(authorization(deployment, { prompt: "login" }));
      return await leave(page, /Fabrikam ID/);
    case "link":
    case "decline": {
      await signInAtPortal(deployment, planter);
      await page.goto(await askForLink(deployment, planter));
      return await leave(page, flow === "link" ? "Continue to sign in" : /^Don.t link$/);
    }
    case "console":
      await openConsole(deployment, planter);
      await page.goto(`${deployment.issuer}/admin/another`);
      return await leave(page, /Fabrikam ID/);
  }
}

/** Presses a button that leads to the upstream, unless the browser is led there by itself. */
async function leave(page: Page, button: string | RegExp): Promise<void> {
  if (await page.locator("[name=password]").isVisible()) return;
  await page.getByRole("button", { name: button }).first().click();
  await page.locator("[name=password]").waitFor();
}

/** The planter tries every address that is his. */
async function assertNothingOfHers(
  deployment: PlantedDeployment,
  planter: Visitor,
  her: Visitor,
): Promise<void> {
  const cookies = await planter.context.cookies();
  const uids = cookies.filter(({ name }) => name.endsWith("liaison.interaction")).map(({ value }) => value);
  const links = cookies.flatMap(({ name }) => /liaison\.link\.([\w-]+)$/.exec(name)?.[1] ?? []);
  const addresses = [
    ...uids.flatMap((uid) => [`/interaction/${uid}?returned`, `/interaction/${uid}`, `/authorize/${uid}`]),
    ...links.flatMap((id) => [`/link/${id}/result`, `/link/${id}`]),
    "/admin",
  ];
  for (const path of addresses) {
    await planter.page.goto(deployment.issuer + path);
    const shown = `${planter.page.url()} ${await textOf(planter.page)}`;
    for (const hers of [her.person.name, her.person.email, her.address, her.profileId]) {
      assert.ok(!shown.includes(hers), `${path} shows the planter ${hers}: ${shown}`);
    }
  }
  const { profile } =
    (await deployment.store.directory.membership(asProfileId(planter.profileId))) ?? assert.fail();
  const hers = (await deployment.store.directory.membership(asProfileId(her.profileId))) ?? assert.fail();
  assert.ok(
    profile.accountId === null || profile.accountId !== hers.profile.accountId,
    "his profile is hers now",
  );
}

/** She begins by herself, and is herself everywhere. */
async function assertHerOwnWay(
  deployment: PlantedDeployment,
  flow: Flow,
  her: Visitor,
  planter: Visitor,
): Promise<void> {
  if (flow !== "console") await signInAtPortal(deployment, her);
  if (flow === "link" || flow === "decline") {
    await changeAccount(her, planter);
    await redeem(deployment, her, await askForLink(deployment, her));
  }
  const account = await accountOf(deployment, her);
  const { profile } =
    (await deployment.store.directory.membership(asProfileId(her.profileId))) ?? assert.fail();
  assert.equal(profile.accountId, account, "her profile is her account's");
  const his = (await deployment.store.directory.membership(asProfileId(planter.profileId))) ?? assert.fail();
  assert.notEqual(his.profile.accountId, account, "and his isn't");
  if (flow !== "console") return;
  await openConsole(deployment, her);
  // The same goes for the administration, whose every page names who is signed in.
  if ((await textOf(her.page)).includes(planter.person.name)) {
    assert.ok(deployment.issuer.startsWith("http:"), "a sibling host can't plant it");
    await signOutOfConsole(her);
    await openConsole(deployment, her);
  }
  const shown = await textOf(her.page);
  assert.ok(shown.includes(her.person.name) && !shown.includes(planter.person.name), shown);
}

/**
 * On plain http a session of the planter's own, planted, signs her in as him, whatever a broker does: the
 * page says whose account it is, and how to change that.
 */
async function changeAccount(her: Visitor, planter: Visitor): Promise<void> {
  if (!(await textOf(her.page)).includes(planter.person.email)) return;
  await her.page.getByRole("button", { name: "Use another account" }).click();
  await authenticate(her);
  await her.page.getByLabel(/email/i).waitFor();
  assert.ok((await textOf(her.page)).includes(her.person.email));
}

async function accountOf({ store }: PlantedDeployment, { person }: Visitor): Promise<string> {
  const page = await store.administration.accounts({ search: person.email }, { after: null, limit: 2 });
  return page.items[0]?.account.id ?? assert.fail(`no account of ${person.email}`);
}

function authorization({ issuer, portal }: PlantedDeployment, more: Record<string, string> = {}): string {
  const url = new URL(`${issuer}/authorize`);
  url.search = new URLSearchParams({
    client_id: "customersource",
    redirect_uri: portal.callback,
    response_type: "code",
    scope: "openid profile",
    state: randomId(),
    code_challenge: "x".repeat(43),
    code_challenge_method: "S256",
    ...more,
  }).toString();
  return url.href;
}

/**
 * To the portal, or to the link step of somebody whom nothing is linked to yet; whoever signs in there is the
 * visitor.
 */
async function signInAtPortal(deployment: PlantedDeployment, visitor: Visitor): Promise<void> {
  const { page } = visitor;
  await page.goto(authorization(deployment));
  const upstream = page.getByRole("button", { name: /Fabrikam ID/ });
  if (await upstream.isVisible()) await upstream.click();
  if (await page.locator("[name=password]").isVisible()) await authenticate(visitor);
  const end = page.getByRole("heading", {
    level: 1,
    name: /At the portal|Enter the email address|Check your email|can’t|isn’t/,
  });
  await end.waitFor();
}

async function authenticate({ page, person }: Visitor): Promise<void> {
  await page.fill("[name=username]", person.username);
  await page.fill("[name=password]", person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForLoadState();
}

async function askForLink(deployment: PlantedDeployment, { page, address }: Visitor): Promise<string> {
  const key = parseAddress(address)?.key;
  const theirs = () => deployment.mailbox.mails.filter(({ to, text }) => to === key && /\/link\//.test(text));
  const before = theirs().length;
  await page.getByLabel(/email/i).fill(address);
  await page.getByRole("button", { name: "Continue" }).click();
  while (theirs().length === before) await deployment.mailbox.arrived(deployment.mailbox.mails.length + 1);
  return linkIn(theirs().at(-1) ?? assert.fail("no mail"));
}

async function redeem(deployment: PlantedDeployment, visitor: Visitor, link: string): Promise<void> {
  assert.ok(link.startsWith(deployment.issuer));
  const tab = { ...visitor, page: await visitor.context.newPage() };
  await tab.page.goto(link);
  await leave(tab.page, "Continue to sign in");
  await authenticate(tab);
  await tab.page.getByRole("heading", { name: "Your account is linked" }).waitFor();
  await tab.page.close();
}

async function openConsole({ issuer }: PlantedDeployment, visitor: Visitor): Promise<void> {
  const { page } = visitor;
  await page.goto(`${issuer}/admin`);
  const upstream = page.getByRole("button", { name: /Fabrikam ID/ });
  if (await upstream.isVisible()) await upstream.click();
  if (await page.locator("[name=password]").isVisible()) await authenticate(visitor);
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
}

async function signOutOfConsole({ page }: Visitor): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.getByRole("heading", { name: /signed out/i }).waitFor();
}

async function textOf(page: Page): Promise<string> {
  return ((await page.locator("main, body").first().textContent()) ?? "").replace(/\s+/g, " ");
}
