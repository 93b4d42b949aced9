/** What the use cases of this room need. */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import type { Failure } from "@atelier/contract/failures";
import type { Database, Sql } from "@atelier/database/database";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Actor } from "../access/actor.ts";
import { passwordComplaint } from "./password-rules.ts";
import type { PasswordHasher } from "./password-hasher.ts";

export type UserDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly hasher: PasswordHasher;
  /** Ends a user's sessions and API tokens, but for one. The sign-in room owns them. */
  readonly revokeKeys: (
    db: Sql,
    keys: { readonly userId: string; readonly exceptKeyId: string | null },
  ) => Promise<void>;
};

/** Who acts on whom, and where it is written down. */
export type UserChange = {
  readonly actor: Actor;
  readonly userId: string;
  readonly audit: AuditTrail;
};

/** The failure of a password that is not accepted; null when it is. */
export function passwordFailure(
  password: string,
  names: readonly string[],
): Failure<"request.invalid"> | null {
  const detail = passwordComplaint(password, names);
  if (detail === null) return null;
  return { code: "request.invalid", validations: [{ field: "password", detail }] };
}
