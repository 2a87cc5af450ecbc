/** How each field of an organization is labelled, shown and typed in on the administration's pages. */

import type { Instant } from "../../clock.ts";
import { bdi, type Child, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
import { badge, type Choice, dayOf, type Field, onOff } from "./components.ts";
import type { OrganizationView } from "./views.ts";

interface OrganizationField {
  label: string;
  /** On the organization's page. */
  shown(one: OrganizationView, now: Instant): Child;
  /** Whether the list of organizations shows it, too. */
  isListed: boolean;
  /** What is typed for it; a plan takes two. */
  typed: readonly Field[];
}

/** Every field but the id, in the order of pages and forms. */
export function organizationFieldsOf(
  site: Site,
): Record<Exclude<keyof OrganizationView, "id">, OrganizationField> {
  const t = messages(site.locale);
  const label = {
    name: t.text("admin.name"),
    number: t.text("admin.accountNumber"),
    kind: t.text("admin.kind"),
    plan: t.text("admin.plan"),
    enabled: t.text("admin.status"),
  };
  return {
    name: {
      label: label.name,
      shown: ({ name }) => bdi(name),
      isListed: true,
      typed: [{ name: "name", label: label.name }],
    },
    account_number: {
      label: label.number,
      shown: ({ account_number: number }) => bdi(number),
      isListed: true,
      typed: [
        { name: "account_number", label: label.number, hint: t.text("admin.organizations.numberHint") },
      ],
    },
    kind: {
      label: label.kind,
      shown: ({ kind }) => t.text(`common.kind.${kind}`),
      isListed: true,
      typed: [{ name: "kind", label: label.kind, kind: "radios", choices: kinds(site) }],
    },
    plan: {
      label: label.plan,
      shown: (one, now) => planText(site, one, now),
      isListed: true,
      typed: planFields(site),
    },
    enabled: {
      label: label.enabled,
      shown: ({ enabled }) => onOff(site, enabled),
      isListed: true,
      typed: [{ name: "enabled", label: label.enabled, kind: "radios", choices: statuses(site) }],
    },
  };
}

/** The fields of the form. Something new is enabled. */
export function organizationFields(site: Site, isNew: boolean): Field[] {
  const fields = Object.values(organizationFieldsOf(site)).flatMap(({ typed }) => typed);
  return fields.filter(({ name }) => !(isNew && name === "enabled"));
}

export const kinds = (site: Site): Choice[] => {
  const t = messages(site.locale);
  return (["customer", "partner", "operator"] as const).map((kind) => ({
    value: kind,
    label: t.text(`common.kind.${kind}`),
  }));
};

export const statuses = (site: Site): Choice[] => {
  const t = messages(site.locale);
  return [
    { value: "true", label: t.text("admin.on"), hint: t.text("admin.onHint") },
    { value: "false", label: t.text("admin.off"), hint: t.text("admin.offHint") },
  ];
};

function planFields(site: Site): Field[] {
  const t = messages(site.locale);
  return [
    {
      name: "plan_status",
      label: t.text("admin.plan"),
      kind: "radios",
      choices: (["active", "suspended", "none"] as const).map((value) => ({
        value,
        label: t.text(`admin.plan.${value}`),
      })),
    },
    {
      name: "plan_last_day",
      label: t.text("admin.organizations.planEnd"),
      kind: "date",
      optional: true,
      hint: t.text("admin.organizations.planEndHint", { zone: site.timeZone }),
    },
  ];
}

function planText(site: Site, { plan }: OrganizationView, now: Instant): Child {
  const t = messages(site.locale);
  if (plan.status !== "active")
    return badge(plan.status === "suspended" ? "warm" : "quiet", t.text(`admin.plan.${plan.status}`));
  if (plan.expires_at === null) return badge("good", t.text("admin.plan.active"));
  const isOver = Date.parse(plan.expires_at) <= now;
  const word = isOver ? badge("bad", t.text("admin.plan.ended")) : badge("good", t.text("admin.plan.active"));
  return html`${word} ${t.html("admin.plan.until", { date: dayOf(site, plan.last_day ?? "") })}`;
}
