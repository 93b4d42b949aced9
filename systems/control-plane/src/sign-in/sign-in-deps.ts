/** What the use cases of this room need. */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import type { Database } from "@atelier/database/database";
import type { KeyUsage } from "../access/key-usage.ts";
import type { SignInCookies } from "../http/presented-token.ts";
import type { PasswordHasher } from "../users/password-hasher.ts";
import type { LifetimeLimits } from "./api-token-grant.ts";
import type { LoginThrottle } from "./login-throttle.ts";

export type SignInDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly hasher: PasswordHasher;
  readonly throttle: LoginThrottle;
  readonly usage: KeyUsage;
  readonly sessionDurationMs: number;
  readonly tokenLifetimes: LifetimeLimits;
  /** Whether people reach this server over HTTPS, as its configured URL says. */
  readonly isAccessUrlSecure: boolean;
  readonly cookies: SignInCookies;
};
