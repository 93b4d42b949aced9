/** People with roles, a session and an API token, for tests that ask as many of them. */
import { systemRandom } from "@atelier/base/system-random";
import type { Role } from "@atelier/contract/permissions";
import { drawApiKey } from "./access/api-key.ts";
import type { TestControlPlane } from "./control-plane-on-postgres-testkit.ts";
import { assignedRoles } from "./users/user.ts";

export type Person = {
  readonly id: string;
  readonly username: string;
  readonly token: string;
  readonly keyId: string;
  readonly apiTokenId: string;
};

export type Place = Pick<TestControlPlane, "database" | "clock"> & {
  readonly passwordHash: string;
  /** Gets what must never be shown. */
  readonly secrets: Set<string>;
};

/** Straight into the database: hashing hundreds of passwords would take minutes. */
export async function insertPerson(
  place: Place,
  roles: readonly Role[] = [],
  scopes: readonly string[] = ["all"],
): Promise<Person> {
  const id = systemRandom.uuid();
  const username = `u${systemRandom.alphanumeric(12)}`;
  const now = place.clock.now();
  await place.database.pool.query(
    `insert into users (id, email, username, password_hash, status, roles, created_at, updated_at)
     values ($1, $2, $3, $4, 'active', $5, $6, $6)`,
    [id, `${username}@example.com`, username, place.passwordHash, assignedRoles(roles), now],
  );
  const session = await insertKey(place, id, "session", scopes);
  const apiToken = await insertKey(place, id, "token");
  return { id, username, token: session.token, keyId: session.keyId, apiTokenId: apiToken.keyId };
}

export async function insertKey(
  { database, clock, secrets }: Place,
  userId: string,
  kind: "session" | "token",
  scopes: readonly string[] = ["all"],
): Promise<{ readonly keyId: string; readonly token: string }> {
  const drawn = drawApiKey(systemRandom);
  const token = drawn.token.reveal();
  const { hashedSecret, id } = drawn;
  const now = clock.now();
  await database.pool.query(
    `insert into api_keys (id, kind, user_id, hashed_secret, token_name, scopes, lifetime_seconds,
       created_at, expires_at)
     values ($1, $2, $3, $4, $1, $5, 3600, $6, $7)`,
    [id, kind, userId, Buffer.from(hashedSecret), scopes, now, new Date(now.getTime() + 3_600_000)],
  );
  secrets.add(token.split("-")[1] ?? token);
  secrets.add(Buffer.from(hashedSecret).toString("hex"));
  secrets.add(Buffer.from(hashedSecret).toString("base64"));
  return { keyId: id, token };
}
