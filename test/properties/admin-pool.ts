/** The records that calls have made or met, so that later calls can be about them. */

/** What pools are called: as the field that names a record of it, or as what is done with it. */
export type PoolName = string;

/** Records of the deployment, which only what is said to need them may touch. */
export const STAGED = "staged-";

export class Pool {
  readonly #values = new Map<PoolName, string[]>();
  /** The key that calls are made with: removing it would end the run. */
  readonly #keep: string;

  constructor(keep: string) {
    this.#keep = keep;
  }

  add(name: PoolName, value: unknown): void {
    if (typeof value !== "string" || value === "" || value === this.#keep) return;
    const values = this.#values.get(name) ?? [];
    if (!values.includes(value)) values.push(value);
    this.#values.set(name, values);
  }

  /** The value of a pool that a number chooses; undefined if there is none. */
  choose(name: PoolName, pick: number): string | undefined {
    const values = this.#values.get(name) ?? [];
    return values[pick % values.length];
  }

  /** Notes what an answer tells, of an operation at this path. */
  learn(operation: string, path: string, answer: unknown): void {
    const place = operation === "listSessions" ? "sessions" : (path.split("/")[1] ?? "");
    const { items, next_cursor } = answer as { items?: unknown; next_cursor?: unknown };
    this.add(`cursor of ${operation}`, next_cursor);
    for (const item of Array.isArray(items) ? items : [answer])
      this.#learnRecord(place, item as Record<string, unknown>);
  }

  #learnRecord(place: string, record: Record<string, unknown>): void {
    const isStaged = String(record["id"]).startsWith(STAGED);
    const isOperators = (record["organization"] as { kind?: unknown } | undefined)?.kind === "operator";
    switch (place) {
      case "profiles":
      case "administrators":
        if (!isStaged) this.add("profile_id", record["id"]);
        if (record["account_id"] !== null) this.add("linked profile", record["id"]);
        if (isOperators) this.add("operator's profile", record["id"]);
        break;
      case "organizations":
        if (!isStaged) this.add("organization_id", record["id"]);
        if (record["kind"] === "operator") this.add("operator", record["id"]);
        break;
      case "clients":
        this.add("client_id", record["id"]);
        if (record["preset"] !== "machine") this.add("portal", record["id"]);
        if (record["managed_by"] === "admin") this.add("own client", record["id"]);
        if (record["managed_by"] === "admin" && record["preset"] === "web")
          this.add("client with a secret", record["id"]);
        break;
      case "mail":
        this.add("mail", record["id"]);
        this.add(`${String(record["state"])} mail`, record["id"]);
        break;
      case "grants":
        this.add("grant", record["id"]);
        this.add("session", record["session_id"]);
        break;
      case "sessions":
        this.add("session", record["id"]);
        break;
      case "accounts":
        this.add("account_id", record["id"]);
        break;
      case "inquiries":
        this.add("inquiry", record["id"]);
        break;
      case "api-keys":
        this.add("api key", record["id"]);
        break;
      case "audit":
        if (record["state"] !== undefined) this.add("verification", record["id"]);
        this.add("head", (record["result"] as { head?: unknown } | null | undefined)?.head);
        for (const field of ["action", "actor", "request_id"]) this.add(field, record[field]);
        break;
    }
  }
}

/** Which pool a path's `id` is of, by the operation or by where its path begins. */
const poolOfOperation: Record<string, PoolName> = {
  editClient: "own client",
  deleteClient: "own client",
  rotateClientSecret: "client with a secret",
  releaseMail: "held mail",
  resendMail: "failed mail",
  unlinkProfile: "linked profile",
  setAdminRole: "operator's profile",
  getSession: "session",
  endSession: "session",
};
const poolOfPlace: Record<string, PoolName> = {
  clients: "client_id",
  organizations: "organization_id",
  profiles: "profile_id",
  accounts: "account_id",
  inquiries: "inquiry",
  mail: "mail",
  grants: "grant",
  "api-keys": "api key",
  audit: "verification",
};

/** The pool of a path's `id`. */
export function poolOfPath(operation: string, path: string): PoolName {
  return poolOfOperation[operation] ?? poolOfPlace[path.split("/")[1] ?? ""] ?? "nothing";
}

/** The pool of any other field that names a record, or undefined for a field that doesn't. */
export function poolOfField(operation: string, field: string): PoolName | undefined {
  if (field === "cursor") return `cursor of ${operation}`;
  if (field === "client_id" && operation === "simulate") return "portal";
  if (field === "organization_id" && operation === "inviteAdministrator") return "operator";
  return /^(client_id|profile_id|account_id|organization_id|request_id|head|action|actor)$/.test(field)
    ? field
    : undefined;
}
