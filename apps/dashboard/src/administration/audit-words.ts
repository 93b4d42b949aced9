/** The audit log in words: its filters, and what a change did. */
import type { CallAnswer } from "@atelier/contract/client";
import type { listAuditEvents } from "@atelier/contract/http/audit";

export type AuditEventView = CallAnswer<typeof listAuditEvents>["audit_logs"][number];

export const AUDIT_FILTERS = [
  "username",
  "email",
  "action",
  "resource_type",
  "resource_target",
  "request_id",
  "status_code",
  "date_from",
  "date_to",
] as const;

/** The server's `q`. Undefined: nothing is chosen. */
export function auditQuery(
  chosen: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const terms = AUDIT_FILTERS.flatMap((name) => {
    const value = (chosen[name] ?? "").trim();
    return value === "" ? [] : [`${name}:"${value.replaceAll(/["\\]/g, "\\$&")}"`];
  });
  return terms.length === 0 ? undefined : terms.join(" ");
}

const VERBS: Readonly<Record<AuditEventView["action"], string>> = {
  create: "made",
  write: "changed",
  delete: "deleted",
  login: "signed in",
  logout: "signed out",
  register: "set up",
};

type AuditResource = AuditEventView["resource_type"];

/** As people call what was changed, where that is not its name in the API. */
const THINGS: Readonly<Partial<Record<AuditResource, string>>> = {
  api_key: "API token",
  ai_provider: "model provider",
  ai_provider_key: "key of the model provider",
  ai_user_key: "own key for",
  ai_price: "price of",
  workspace_agent_token: "token of the workspace",
  chat_file: "file of a chat",
  chat_model: "model",
  chat_setting: "agent setting",
  mcp_server: "tool server",
};

export function auditThing(type: AuditResource): string {
  return THINGS[type] ?? type.replaceAll("_", " ");
}

const ID_LETTERS = 8;

/** "ann changed the model provider openai". */
export function auditSentence(event: AuditEventView): string {
  const { user, action, resource_type: type, resource_id: id, resource_target: target } = event;
  const who = user?.username ?? "Nobody who was signed in";
  if (action === "login" || action === "logout") {
    return `${user?.username ?? (target === "" ? "Somebody" : target)} ${VERBS[action]}`;
  }
  // Its first letters tell those without a name apart.
  const name = target === "" ? (id ?? "").slice(0, ID_LETTERS) : target;
  return `${who} ${VERBS[action]} the ${auditThing(type)} ${name}`.trim();
}

export type DiffRow = {
  readonly field: string;
  readonly before: string;
  readonly after: string;
};

/** One row for each field. Of a secret only that it changed. */
export function diffRows(diff: AuditEventView["diff"]): readonly DiffRow[] {
  return Object.entries(diff).map(([field, change]) =>
    "secret" in change
      ? { field, before: "(secret)", after: "(changed)" }
      : { field, before: valueText(change.old), after: valueText(change.new) },
  );
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "—";
  return typeof value === "string" ? value : JSON.stringify(value);
}
