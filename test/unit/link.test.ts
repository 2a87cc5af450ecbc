import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  asAccountId,
  asInquiryId,
  asLinkRequestId,
  asOrganizationId,
  asProfileId,
  asSecretHash,
  asUpstreamId,
} from "../../src/domain/ids.ts";
import { answerInquiry, judgeLink, mailedSecret, sameIdentity } from "../../src/domain/link.ts";
import type {
  IdentityKey,
  LinkRequest,
  Membership,
  Organization,
  Profile,
} from "../../src/domain/records.ts";
import { equalSecrets, hashSecret, randomId, randomSecret } from "../../src/domain/secrets.ts";

const NOW = 1_800_000_000_000;

const request: LinkRequest = {
  id: asLinkRequestId("request-1"),
  inquiryId: asInquiryId("inquiry-1"),
  secretHash: asSecretHash("hash-1"),
  purpose: "link_profile",
  requester: {
    issuer: "https://id.example",
    subject: "subject-1",
    upstreamId: asUpstreamId("consumer"),
    accountId: asAccountId("account-1"),
    email: "anna@mail.example",
    displayName: "Anna",
  },
  profileId: asProfileId("profile-1"),
  emailVersion: 3,
  state: "pending",
  createdAt: NOW - 60_000,
  expiresAt: NOW + 60_000,
  settledAt: null,
};

function membership(profile: Partial<Profile> = {}, organization: Partial<Organization> = {}): Membership {
  return {
    profile: {
      id: asProfileId("profile-1"),
      organizationId: asOrganizationId("organization-1"),
      email: "anna@contoso.example",
      emailKey: "anna@contoso.example",
      emailVersion: 3,
      name: "Anna Berg",
      roles: ["buyer"],
      enabled: true,
      adminRole: null,
      invitedAt: null,
      accountId: null,
      boundAt: null,
      provenEmailVersion: null,
      ...profile,
    },
    organization: {
      id: asOrganizationId("organization-1"),
      name: "Contoso",
      accountNumber: "C-1001",
      kind: "customer",
      plan: { status: "suspended", expiresAt: NOW - 1 },
      enabled: true,
      ...organization,
    },
  };
}

describe("judgeLink", () => {
  it("lets a pending request for an unbound, active profile live, whatever the service plan", () => {
    assert.deepEqual(judgeLink(request, membership(), NOW), { alive: true });
  });

  it("L7 ends a request at the first millisecond of its expiry", () => {
    assert.deepEqual(judgeLink(request, membership(), request.expiresAt - 1), { alive: true });
    assert.deepEqual(judgeLink(request, membership(), request.expiresAt), {
      alive: false,
      reason: "expired",
    });
  });

  const cases: [why: string, request: Partial<LinkRequest>, membership: Membership, reason: string][] = [
    ["L5 used", { state: "bound" }, membership({ accountId: asAccountId("account-1") }), "used"],
    ["L5 used, and unlinked since", { state: "bound" }, membership(), "used"],
    ["L5 cancelled", { state: "cancelled" }, membership(), "cancelled"],
    ["L8 superseded", { state: "superseded" }, membership(), "superseded"],
    ["state before expiry", { state: "superseded", expiresAt: NOW - 1 }, membership(), "superseded"],
    ["expiry before the email", { expiresAt: NOW }, membership({ emailVersion: 4 }), "expired"],
    ["L10 email changed", {}, membership({ emailVersion: 4 }), "email_changed"],
    ["L10 voided by a changed email", { state: "void" }, membership({ emailVersion: 4 }), "email_changed"],
    ["email before not active", {}, membership({ emailVersion: 4, enabled: false }), "email_changed"],
    ["L10 profile disabled", {}, membership({ enabled: false }), "not_active"],
    ["L10 organization disabled", {}, membership({}, { enabled: false }), "not_active"],
    [
      "not active before bound",
      {},
      membership({ enabled: false, accountId: asAccountId("account-2") }),
      "not_active",
    ],
    ["L15 bound to the requester", {}, membership({ accountId: asAccountId("account-1") }), "bound_to_you"],
    ["L15 bound to another", {}, membership({ accountId: asAccountId("account-2") }), "bound_elsewhere"],
    [
      "voided by another's link",
      { state: "void" },
      membership({ accountId: asAccountId("account-2") }),
      "bound_elsewhere",
    ],
    ["L5 voided by an unlink", { state: "void" }, membership(), "expired"],
    [
      "voided, its time not over",
      { state: "void", expiresAt: NOW + 1 },
      membership({ enabled: false }),
      "not_active",
    ],
  ];
  for (const [why, change, about, reason] of cases) {
    it(`${why} → ${reason}`, () => {
      assert.deepEqual(judgeLink({ ...request, ...change }, about, NOW), { alive: false, reason });
    });
  }

  it("calls the account that signed in *you*", () => {
    const bound = membership({ accountId: asAccountId("account-2") });
    assert.deepEqual(judgeLink(request, bound, NOW, asAccountId("account-2")), {
      alive: false,
      reason: "bound_to_you",
    });
    const mine = membership({ accountId: asAccountId("account-1") });
    assert.deepEqual(judgeLink(request, mine, NOW, asAccountId("account-2")), {
      alive: false,
      reason: "bound_elsewhere",
    });
  });
});

describe("sameIdentity", () => {
  const anna: IdentityKey = { issuer: "https://id.example", subject: "subject-1" };

  it("is true for the same bytes only", () => {
    assert.equal(sameIdentity(anna, { ...anna }), true);
    assert.equal(sameIdentity(anna, { ...anna, subject: "Subject-1" }), false);
    assert.equal(sameIdentity(anna, { ...anna, subject: "subject-1 " }), false);
    assert.equal(sameIdentity(anna, { ...anna, issuer: "https://id.example/" }), false);
    assert.equal(sameIdentity({ ...anna, subject: "\u00e5" }, { ...anna, subject: "a\u030a" }), false);
  });

  it("is never true of nothing", () => {
    assert.equal(sameIdentity({ ...anna, subject: "" }, { ...anna, subject: "" }), false);
    assert.equal(sameIdentity({ ...anna, issuer: "" }, { ...anna, issuer: "" }), false);
    const broken: IdentityKey = JSON.parse('{"issuer":"https://id.example","subject":null}');
    assert.equal(sameIdentity(broken, { ...broken }), false);
  });
});

describe("answerInquiry", () => {
  const cases: [why: string, membership: Membership, answer: string][] = [
    ["unbound", membership(), "link"],
    ["bound to the asker", membership({ accountId: asAccountId("account-1") }), "already_linked"],
    ["bound to another", membership({ accountId: asAccountId("account-2") }), "linked_elsewhere"],
    ["profile disabled", membership({ enabled: false }), "not_active"],
    ["organization disabled", membership({}, { enabled: false }), "not_active"],
    [
      "disabled and bound to another",
      membership({ enabled: false, accountId: asAccountId("account-2") }),
      "not_active",
    ],
  ];
  for (const [why, about, answer] of cases) {
    it(`${why} → ${answer}`, () => assert.equal(answerInquiry(about, asAccountId("account-1")), answer));
  }
});

describe("secrets", () => {
  it("are 256 random bits, and ids 128, in characters that URLs and cookies take", () => {
    assert.match(randomSecret(), /^[\w-]{43}$/);
    assert.match(randomId(), /^[\w-]{22}$/);
    assert.equal(new Set(Array.from({ length: 1000 }, randomSecret)).size, 1000);
  });

  it("are hashed with SHA-256", () => {
    assert.equal(hashSecret("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  });

  it("are compared whole, whatever their lengths", () => {
    assert.equal(equalSecrets("secret-1", "secret-1"), true);
    assert.equal(equalSecrets("secret-1", "secret-2"), false);
    assert.equal(equalSecrets("secret-1", "secret-1 and more"), false);
    assert.equal(equalSecrets("", "secret-1"), false);
  });
});

describe("the secret of a mailed link", () => {
  const secret = `${"Ab0_-".repeat(8)}xyz`;
  const [head, tail] = [secret.slice(0, 19), secret.slice(19)];

  it("is found whatever stands behind it or got into it", () => {
    assert.equal(secret.length, 43);
    for (const end of ["", ".", ">", ")", " ", "\u00a0", ",", "'", "*", "&gt;", ".html", "> wrote:"]) {
      assert.equal(mailedSecret(secret + end), secret, end);
    }
    for (const inside of ["=", " ", "\r\n", "=\r\n", "\t", "\u200b"]) {
      assert.equal(mailedSecret(head + inside + tail), secret, JSON.stringify(inside));
    }
  });

  it("isn't made up where letters are missing, or there are more", () => {
    for (const text of [
      "",
      head,
      secret.slice(1),
      `${secret}x`,
      `${secret}x.`,
      `${head}=${tail}x`,
      `x${secret}`,
    ]) {
      assert.equal(mailedSecret(text), undefined, text);
    }
  });
});
