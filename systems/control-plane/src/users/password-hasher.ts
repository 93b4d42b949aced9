/**
 * Hashes and checks passwords with argon2id (RFC 9106), with the parameters that OWASP's password
 * storage sheet gives first: 19 MiB, 2 passes, 1 lane. Each takes tens of milliseconds of a core
 * and its memory, so few run at once and the rest wait in line.
 */
import { hash, verify } from "@node-rs/argon2";
import type { Secret } from "@atelier/base/secret";

/** 2 is argon2id: the package's enum of names has no run-time form under type stripping. */
const OPTIONS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const CONCURRENCY_MAX = 4;
/** Checks that strangers can ask for. Past it they are told to come back. */
const CHECKS_WAITING_MAX = 32;
/** Takes as long to check as a real one; nobody has the password. */
const HASH_OF_NOBODY =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

export class PasswordHasher {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async hash(password: Secret): Promise<string> {
    return this.#inTurn(() => hash(password.reveal(), OPTIONS));
  }

  /** Null hash: there is no such user, or they have no password. It takes as long, and is false. */
  async matches(password: Secret, hashed: string | null): Promise<boolean> {
    return this.#inTurn(async () => {
      const isMatch = await verify(hashed ?? HASH_OF_NOBODY, password.reveal());
      return isMatch && hashed !== null;
    });
  }

  /** Whether so many are waiting that strangers should come back later. */
  get isBusy(): boolean {
    return this.#waiting.length >= CHECKS_WAITING_MAX;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    // A turn is handed from one to the next, so that nobody can slip in between.
    if (this.#running < CONCURRENCY_MAX) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
