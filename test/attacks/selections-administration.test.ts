/** A switch of profiles at the administration ends the sign-in before it. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asAccountId, asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, bindTo, startAttacked } from "../support/attack-fixture.ts";
import { marks } from "../support/chooser.ts";
import { register, signIn } from "../support/liaison.ts";

describe("selections at the administration", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({ strangers: 1 });
  });
  after(() => liaison?.close());

  const grantsOf = async (accountId: string) =>
    (
      await liaison.store.administration.grants(
        { accountId: asAccountId(accountId) },
        { after: null, limit: 50 },
        liaison.clock.now(),
      )
    ).items;

  it(
    "a switch at the administration ends the sign-in there before it, once the administration redeemed " +
      "its code",
    async () => {
      const [one, two] = ["operator-one", "operator-two"];
      await register(liaison, { id: asOrganizationId("operator"), kind: "operator" }, [
        { id: one, email: `${one}@contoso.example` },
        { id: two, email: `${two}@contoso.example` },
      ]);
      const person = liaison.stranger();
      const accountId = await bindTo(liaison, person, one, two);
      const browser = liaison.browser();
      const administration = new URL(`${liaison.issuer}/admin`);
      const chooser = await signIn(
        browser,
        { url: administration, codeVerifier: "", state: "", nonce: "" },
        person,
      );
      const pageOfOne = await browser.press(chooser, "Continue", { profile_id: one });
      assert.match(pageOfOne.text, new RegExp(`Profile ${one}`));
      const copied = await browser.jar.getCookieString(administration.href);
      const withCopy = async () =>
        await liaison.browser().once(administration, { headers: { cookie: copied } });
      assert.match((await withCopy()).text, new RegExp(`Profile ${one}`));

      await browser.jar.setCookie("liaison.console=; Path=/admin; Max-Age=0", administration.href);
      const begun = await browser.once(administration);
      const asking = new URL(begun.headers.get("location") ?? assert.fail(begun.text));
      asking.searchParams.set("prompt", "select_account");
      const switching = await browser.visit(asking);
      assert.deepEqual(
        marks(switching).filter(([, checked]) => checked === "checked"),
        [[one, "checked", "In use now"]],
      );
      const pageOfTwo = await browser.press(switching, "Continue", { profile_id: two });
      assert.match(pageOfTwo.text, new RegExp(`Profile ${two}`));
      assert.equal((await withCopy()).status, 303, "the old sign-in has ended");
      assert.deepEqual(
        (await grantsOf(accountId)).map(({ profileId }) => profileId),
        [two],
      );
    },
  );
});
