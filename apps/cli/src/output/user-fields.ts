/** One user, as people read it. */
import type { User } from "@atelier/contract/http/users";
import type { z } from "zod";
import { fields, orDash, since, type Cell, type Look } from "./people.ts";

type UserAnswer = z.output<typeof User>;

export function userFields(look: Look, user: UserAnswer): string {
  return fields(look, [
    ["Username", user.username],
    ["Email", user.email],
    ["Name", orDash(user.name)],
    ["Roles", rolesText(user.roles)],
    ["Status", statusCell(user.status)],
    ["Last seen", since(look, user.last_seen_at)],
    ["Created", since(look, user.created_at)],
    ["Id", user.id],
  ]);
}

export function rolesText(roles: readonly string[]): string {
  return roles.length === 0 ? "member" : roles.join(", ");
}

export function statusCell(status: UserAnswer["status"]): Cell {
  return status === "suspended" ? { text: status, tone: "bad" } : status;
}
