/** Renders the reference pages of failures, permissions, options and metrics from their tables. */
import { renderCliReference } from "@atelier/app-cli/cli-reference";
import { ALL_OPTIONS } from "@atelier/app-server/config";
import { FAILURES } from "@atelier/contract/failures";
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import {
  ASSIGNABLE_ROLES,
  PERMISSIONS,
  ROLE_GRANTS,
  ROLES,
  rolesAllow,
} from "@atelier/contract/permissions";
import { renderOptionReference } from "@atelier/host/option-texts";
import { listMetrics } from "./gen-metrics.ts";
import { code, table } from "./markdown.ts";

export function renderFailureReference(): string {
  const rows = Object.entries(FAILURES).map(([failure, { status, message, remedy }]) => [
    code(failure),
    String(status),
    message,
    remedy,
  ]);
  return [
    "<!-- npm run gen -->",
    "# Failures",
    "",
    "Every failure of our own API. Programs switch on `code`, which never changes its meaning; people",
    "read `message`. The AI gateway answers in the shape of the model provider instead.",
    "",
    table(["code", "status", "message", "what to do"], rows),
    "",
  ].join("\n");
}

export function renderPermissionReference(): string {
  const cell = (role: (typeof ROLES)[number], permission: (typeof PERMISSIONS)[number]): string => {
    if (rolesAllow([role], permission, { isOwn: false })) return "all";
    return rolesAllow([role], permission, { isOwn: true }) ? "own" : "";
  };
  const rows = PERMISSIONS.map((permission) => [
    code(permission),
    ...ROLES.map((role) => cell(role, permission)),
    String(ENDPOINTS.filter((endpoint) => endpoint.access === permission).length),
  ]);
  const assignable = ROLES.filter((role) => ASSIGNABLE_ROLES[role].length > 0).map(
    (role) =>
      `- ${code(role)} can grant and take away ${ASSIGNABLE_ROLES[role].map(code).join(", ")}.`,
  );
  const plain = Object.keys(ROLE_GRANTS).filter((role) => role !== "member");
  return [
    "<!-- npm run gen -->",
    "# Permissions",
    "",
    `Everybody is a ${code("member")}; ${plain.map(code).join(", ")} add to that. “all” means everybody's things,`,
    "“own” only the holder's. A token's scopes narrow what its user may do and never widen it: a scope is",
    "a permission, a resource with `:*`, or `all`.",
    "",
    table(["permission", ...ROLES, "endpoints"], rows),
    "",
    ...assignable,
    "",
  ].join("\n");
}

export function renderConfigurationReference(): string {
  return [
    "<!-- npm run gen -->",
    "# Configuration of the server",
    "",
    "The first that says something wins: the flag, the environment, the YAML file that `config` names,",
    "the default. The server checks everything at its start, lists all mistakes at once and does not",
    "start with one. Durations are written like `90s`, `1h30m` or `7d`.",
    "",
    renderOptionReference(ALL_OPTIONS),
  ].join("\n");
}

export function renderCommandReference(): string {
  return `<!-- npm run gen -->\n${renderCliReference()}`;
}

export function renderMetricReference(): string {
  const rows = listMetrics().map(({ name, kind, labels, help, file }) => [
    code(`atelier_${name}`),
    kind,
    labels.map(code).join(", "),
    help,
    code(file),
  ]);
  return [
    "<!-- npm run gen -->",
    "# Metrics",
    "",
    "For Prometheus. The usual metrics of a Node process (`process_…`, `nodejs_…`) come on top.",
    "",
    table(["metric", "kind", "labels", "meaning", "where"], rows),
    "",
  ].join("\n");
}
