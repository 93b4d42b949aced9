/** A user as the system sees them, and what the audit log keeps of them. */
import { ROLES, type Role } from "@atelier/contract/permissions";
import type { UserStatus } from "../access/principal.ts";

export type User = {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly name: string;
  readonly status: UserStatus;
  /** Without `member`, which everybody is; in the order of the role table. */
  readonly roles: readonly Role[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastSeenAt: Date | null;
};

/** Roles as they are stored: each once, in the table's order, without the one everybody has. */
export function assignedRoles(roles: readonly string[]): readonly Role[] {
  return ROLES.filter((role) => role !== "member" && roles.includes(role));
}

/** The fields that the audit log compares. */
export function auditedUser(user: User): Readonly<Record<string, unknown>> {
  const { email, username, name, status, roles } = user;
  return { email, username, name, status, roles };
}
