/**
 * The same made-up deployment in four flavours: ordinary names, very long ones, right-to-left ones, hostile
 * ones.
 */

import type { MembershipView, PortalView, Site, UpstreamView } from "../../src/ui/views.ts";

export interface Flavour {
  site: Site;
  portal: PortalView;
  upstream: UpstreamView;
  who: string;
  other: string;
  address: string;
  sender: string;
  token: string;
  memberships: [MembershipView, MembershipView, MembershipView];
}

interface Names {
  site: string;
  portals: [string, string];
  upstreams: [string, string];
  who: string;
  other: string;
  address: string;
  people: [string, string, string];
  organizations: [string, string, string];
  accountNumber: string;
  token: string;
}

function flavour(names: Names, basePath: string): Flavour {
  const portals = names.portals.map((name, index) => ({
    id: `portal-${index + 1}`,
    name,
    homeUrl: `https://portal${index + 1}.example/`,
    aboutUrl: index === 0 ? "https://portal1.example/about" : null,
  }));
  const upstreams = names.upstreams.map((name, index) => ({
    id: `upstream-${index + 1}`,
    name,
    aboutUrl: `https://id${index + 1}.example/about`,
    createAccountUrl: `https://id${index + 1}.example/join`,
    forgotPasswordUrl: `https://id${index + 1}.example/forgot`,
    support: { email: "help@id.example", url: index === 0 ? "https://id1.example/help" : null },
  }));
  const [portal] = portals;
  const [upstream] = upstreams;
  if (portal === undefined || upstream === undefined)
    throw new Error("a flavour has at least one portal and upstream");
  const kinds = ["customer", "customer", "partner"] as const;
  const membership = (index: 0 | 1 | 2): MembershipView => ({
    profileId: `profile-${index + 1}`,
    profileName: names.people[index],
    organizationName: names.organizations[index],
    accountNumber: names.accountNumber,
    kind: kinds[index],
  });
  return {
    site: {
      name: names.site,
      basePath,
      support: {
        email: "support@contoso.example",
        url: "https://contoso.example/support",
        phone: "+45 70 10 20 30",
      },
      timeZone: "Europe/Copenhagen",
      locale: "en",
      portals,
      upstreams,
    },
    portal,
    upstream,
    who: names.who,
    other: names.other,
    address: names.address,
    sender: "no-reply@signin.contoso.example",
    token: names.token,
    memberships: [membership(0), membership(1), membership(2)],
  };
}

const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{x}`;
const endless = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";

export const flavours = {
  ordinary: flavour(
    {
      site: "Contoso sign-in",
      portals: ["CustomerSource", "PartnerSource"],
      upstreams: ["Northwind ID", "Fourth Coffee ID"],
      who: "ana.lopez@northwind.example",
      other: "ana.private@northwind.example",
      address: "ana@fabrikam.example",
      people: ["Ana López", "Ana López", "Ana L. (training)"],
      organizations: ["Fabrikam A/S", "Fabrikam Logistics GmbH", "Litware Consulting"],
      accountNumber: "C-104233",
      token: "Zm9yZ2Vk-token",
    },
    "",
  ),
  long: flavour(
    {
      site:
        `The ${endless} of the International Federation of Extraordinarily Long Deployment Names, single ` +
        "sign-in service",
      portals: [
        `CustomerSource for ${endless}`,
        `PartnerSource and Reseller Enablement Programme for ${endless}`,
      ],
      upstreams: [
        `Northwind Traders Universal Consumer Identity (${endless})`,
        `Fourth Coffee ${endless} ID`,
      ],
      who:
        `${"anastasia.maximiliana.".repeat(3)}lopez@` +
        `subsidiary.of.a.very.long.${endless.toLowerCase()}.example`,
      other: `${"someone.else.entirely.".repeat(3)}@subsidiary.of.a.very.long.northwind-traders.example`,
      address: `${"registered.".repeat(5)}address@${"department.".repeat(12)}example`,
      people: [`Ana María de los Ángeles ${endless}`, endless, "Ana ".repeat(30)],
      organizations: [`Fabrikam ${endless} A/S & Co. KG`, `Litware ${endless}`, "Consolidated ".repeat(14)],
      accountNumber: "C-104233-000000000000000000000000000000000000000000000000000001",
      token: "t".repeat(400),
    },
    "",
  ),
  rightToLeft: flavour(
    {
      site: "כניסה לשירותי קונטוסו",
      portals: ["مصدر العملاء", "פורטל השותפים (B2B)"],
      upstreams: ["هوية نورث ويند", "זהות קפה ד׳"],
      who: "أنا لوبيز (ana@northwind.example)",
      other: "מישהו אחר 42",
      address: "אנה@דוגמה.example",
      people: ["أنا لوبيز – مديرة", "ענת לופז", "ענת 3 (הדרכה)"],
      organizations: ["فابريكام ش.م.م.", "פבריקם לוגיסטיקה בע״מ", "ليتوير Consulting"],
      accountNumber: "ח-104233",
      token: "token",
    },
    "/auth",
  ),
  hostile: flavour(
    {
      site: `Site ${hostile}`,
      portals: [`Portal ${hostile}`, `Second ${hostile}`],
      upstreams: [`Upstream ${hostile}`, `Other ${hostile}`],
      who: `who ${hostile}`,
      other: `other ${hostile}`,
      address: `a${hostile}@example.com`,
      people: [`One ${hostile}`, `Two ${hostile}`, `<b>Three</b>`],
      organizations: [`Org ${hostile}`, `</title></bdi>${hostile}`, `&lt;Org&gt;`],
      accountNumber: hostile,
      token: `tok${hostile}`,
    },
    "",
  ),
} as const;

export type FlavourName = keyof typeof flavours;
