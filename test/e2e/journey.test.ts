/** The journey over HTTP, with openid-client as the portal and a browser without JavaScript. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import {
  type Liaison,
  linkByMail,
  openLink,
  people,
  register,
  signIn,
  startLiaison,
} from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";

describe("the journey", () => {
  let liaison: Liaison;
  before(async () => {
    liaison = await startLiaison();
    await register(
      liaison,
      { id: asOrganizationId("northwind"), name: "Northwind Traders", accountNumber: "C-100" },
      [{ id: "p-ann", email: "ann@northwind.example", name: "Ann of Northwind", roles: ["buyer"] }],
    );
    await register(liaison, { id: asOrganizationId("litware"), kind: "partner" }, [
      { id: "p-ben-1", email: "ben@shared.example" },
      { id: "p-ben-2", email: "ben@shared.example" },
    ]);
    await register(liaison, { id: asOrganizationId("adatum") }, [
      { id: "p-ben-3", email: "ben@shared.example" },
    ]);
  });
  after(() => liaison.close());

  it("links a profile once and then goes straight to the portal", async () => {
    const browser = liaison.browser();
    const first = await liaison.customerSource.start({
      scope: "openid profile email organization offline_access",
    });
    const end = await linkByMail(liaison, browser, first, people.ann, "Ann@Northwind.example");
    assert.equal(end.status, 0, end.text);
    const tokens = await liaison.customerSource.exchange(end.url, first);
    const subject = tokens.claims()?.sub ?? "";
    const claims = await liaison.customerSource.userinfo(tokens.access_token, subject);
    assert.deepEqual(
      { ...claims, sub: "", service_plan: undefined },
      {
        sub: "",
        name: "Ann of Northwind",
        email: "ann@northwind.example",
        email_verified: true,
        profile_id: "p-ann",
        organization: {
          id: "northwind",
          name: "Northwind Traders",
          account_number: "C-100",
          kind: "customer",
        },
        roles: ["buyer"],
        service_plan: undefined,
      },
    );
    assert.ok(tokens.refresh_token, "a refresh token comes with offline_access");
    const refreshed = await liaison.customerSource.refresh(tokens.refresh_token);
    assert.equal(refreshed.claims()?.sub, subject);

    const second = await liaison.customerSource.start();
    const straight = await browser.visit(second.url);
    assert.equal(straight.status, 0, "the second sign-in shows no page");
    assert.equal((await liaison.customerSource.exchange(straight.url, second)).claims()?.sub, subject);

    const elsewhere = liaison.browser();
    const third = await liaison.customerSource.start();
    const again = await signIn(elsewhere, third, people.ann);
    assert.equal((await liaison.customerSource.exchange(again.url, third)).claims()?.sub, subject);
  });

  it("mails one link for each matching profile and lets the person choose", async () => {
    const browser = liaison.browser();
    const started = await liaison.partnerSource.start();
    const before = liaison.mailbox.mails.length;
    const linkStep = await signIn(browser, started, people.ben);
    const waiting = await browser.press(linkStep, /^(Continue|Send)/, { email: "ben@shared.example" });
    assert.equal(waiting.heading, "Check your email");
    const mails = (await liaison.mailbox.arrived(before + 3)).slice(before);
    assert.equal(mails.length, 3);
    assert.ok(mails.every(({ envelopeTo }) => envelopeTo.join() === "ben@shared.example"));
    const code =
      waiting.dom.querySelector(".code")?.textContent ?? assert.fail("no code on the waiting page");
    for (const mail of mails) {
      assert.match(mail.text, new RegExp(`^Code of the request: ${code}$`, "m"));
      assert.equal(
        (await liaison.browser().visit(linkIn(mail))).dom.querySelector(".code")?.textContent,
        code,
      );
      assert.match((await openLink(browser, linkIn(mail), people.ben)).heading, /linked/i);
    }
    const chooser = await browser.visit(waiting.link(/opened the link/));
    assert.match(chooser.heading, /profile/i);
    assert.equal(
      chooser.dom.querySelectorAll("input[type=radio]").length,
      2,
      "the customer profile isn't admitted here",
    );
    const end = await browser.press(chooser, "Continue", { profile_id: "p-ben-2" });
    const tokens = await liaison.partnerSource.exchange(end.url, started);
    const claims = await liaison.partnerSource.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
    assert.equal(claims["profile_id"], "p-ben-2");

    const switching = await liaison.partnerSource.start({ prompt: "select_account" });
    const again = await browser.visit(switching.url);
    const switched = await browser.press(again, "Continue", { profile_id: "p-ben-1" });
    const other = await liaison.partnerSource.exchange(switched.url, switching);
    const now = await liaison.partnerSource.userinfo(other.access_token, other.claims()?.sub ?? "");
    assert.equal(now["profile_id"], "p-ben-1");
    await assert.rejects(
      liaison.partnerSource.userinfo(tokens.access_token, tokens.claims()?.sub ?? ""),
      "the old grant is gone",
    );
  });
});
