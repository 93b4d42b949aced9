/** The audit log in words: its filters, and what a change did. */
import type { CallAnswer } from "@atelier/contract/client";
import type { listAuditEvents } from "@atelier/contract/http/audit";

export type AuditEventView = CallAnswer<typeof listAuditEvents>["audit_logs"][number];

export const AUDIT_FILTERS = [
  "username",
  "action",
  "resource_type",
  "resource_target",
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

/** "ann changed the ai provider openai". */
export function auditSentence(event: AuditEventView): string {
  const { user, action, resource_type: type, resource_target: target } = event;
  const who = user?.username ?? "Nobody who was signed in";
  if (action === "login" || action === "logout") {
    return `${user?.username ?? (target === "" ? "Somebody" : target)} ${VERBS[action]}`;
  }
  return `${who} ${VERBS[action]} the ${type.replaceAll("_", " ")} ${target}`.trim();
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
