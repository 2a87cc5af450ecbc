/** The people that the demo can be played as: who they are, and what their sign-in shows. Data only. */

import type { AdminRole } from "../domain/records.ts";

export type Expectation =
  | "linked_once"
  | "chooser"
  | "other_email"
  | "plan_lapsed"
  | "disabled"
  | "partner_only"
  | "administrator";

export type DemoPortal = "customersource" | "partnersource";

/** Spelled as in the line that `--json` prints. */
export interface DemoPerson {
  name: string;
  username: string;
  password: string;
  /** What the organization registered, and so what the link step wants to know. */
  registered_email: string;
  /** Where to start. */
  portal: DemoPortal | "administration";
  expect: Expectation;
}

/** What happens to each, in words. */
export const expectations: Record<Expectation, string> = {
  linked_once: "Links one profile by mail, then goes straight to CustomerSource ever after.",
  chooser: "One address, three profiles: three mails; with several linked, a choice between them.",
  other_email: "Signs in with one email address; the organization registered another.",
  plan_lapsed:
    "Linked already. The organization's service plan ended last month, so CustomerSource doesn't admit them.",
  disabled: "Linked already. The organization switched the profile off.",
  partner_only: "Linked already, to a partner's profile: PartnerSource admits them, CustomerSource doesn't.",
  administrator:
    "Links one profile by mail like everybody, then looks after portals, organizations and people.",
};

interface Seed extends DemoPerson {
  /** What Fabrikam ID knows as this person's email address. */
  upstreamEmail: string;
  profiles: SeedProfile[];
}

export interface SeedProfile {
  id: string;
  organizationId: string;
  roles: string[];
  adminRole?: AdminRole;
}

export const seeds: Seed[] = [
  {
    name: "Amara Okafor",
    username: "amara",
    password: "amara-demo",
    registered_email: "amara.okafor@harbour-foods.example",
    portal: "customersource",
    expect: "linked_once",
    upstreamEmail: "amara.okafor@harbour-foods.example",
    profiles: [
      {
        id: "profile-amara-harbour",
        organizationId: "org-harbour-foods",
        roles: ["purchasing", "downloads"],
      },
    ],
  },
  {
    name: "Mateo Fernández",
    username: "mateo",
    password: "mateo-demo",
    registered_email: "mateo@fernandez-consulting.example",
    portal: "customersource",
    expect: "chooser",
    upstreamEmail: "mateo@fernandez-consulting.example",
    profiles: [
      { id: "profile-mateo-andes", organizationId: "org-andes-textiles", roles: ["administrator"] },
      { id: "profile-mateo-bahia", organizationId: "org-bahia-logistics", roles: ["support"] },
      { id: "profile-mateo-partner", organizationId: "org-fernandez-consulting", roles: ["consultant"] },
    ],
  },
  {
    name: "Yuki Tanaka",
    username: "yuki",
    password: "yuki-demo",
    registered_email: "y.tanaka@kitano-systems.example",
    portal: "partnersource",
    expect: "other_email",
    upstreamEmail: "yuki.and.mochi@mail.example",
    profiles: [
      { id: "profile-yuki-kitano", organizationId: "org-kitano-systems", roles: ["sales", "downloads"] },
    ],
  },
  {
    name: "Ingrid Solberg",
    username: "ingrid",
    password: "ingrid-demo",
    registered_email: "ingrid@solberg-shipping.example",
    portal: "customersource",
    expect: "plan_lapsed",
    upstreamEmail: "ingrid.solberg@mail.example",
    profiles: [
      { id: "profile-ingrid-solberg", organizationId: "org-solberg-shipping", roles: ["purchasing"] },
    ],
  },
  {
    name: "Samir Haddad",
    username: "samir",
    password: "samir-demo",
    registered_email: "samir.haddad@cedar-medical.example",
    portal: "customersource",
    expect: "disabled",
    upstreamEmail: "samir.haddad@cedar-medical.example",
    profiles: [{ id: "profile-samir-cedar", organizationId: "org-cedar-medical", roles: ["downloads"] }],
  },
  {
    name: "Priya Raman",
    username: "priya",
    password: "priya-demo",
    registered_email: "priya.raman@lotus-partners.example",
    portal: "customersource",
    expect: "partner_only",
    upstreamEmail: "priya.raman@mail.example",
    profiles: [{ id: "profile-priya-lotus", organizationId: "org-lotus-partners", roles: ["consultant"] }],
  },
  {
    name: "Greta Lindqvist",
    username: "greta",
    password: "greta-demo",
    registered_email: "greta.lindqvist@contoso.example",
    portal: "administration",
    expect: "administrator",
    upstreamEmail: "greta@mail.example",
    profiles: [{ id: "profile-greta-contoso", organizationId: "org-contoso", roles: [], adminRole: "owner" }],
  },
];

/** All of them, in the shape that scripts and the inbox's *People* page get. */
export const demoPeople: DemoPerson[] = seeds.map(({ upstreamEmail: _, profiles: __, ...person }) => person);
