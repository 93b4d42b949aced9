/**
 * Users in Postgres. Deletion is soft: records keep naming the user, while their email and username
 * are free again; deleted users are not found here.
 */
import type { Role } from "@atelier/contract/permissions";
import type { Sql } from "@atelier/database/database";
import { sql, type RawBuilder } from "kysely";
import type { UserStatus } from "../access/principal.ts";
import { assignedRoles, type User } from "./user.ts";

const COLUMNS = sql`id, email, username, name, status, roles, created_at, updated_at, last_seen_at`;

export async function userExists(db: Sql): Promise<boolean> {
  const { rows } = await sql<{ exists: boolean }>`select exists (select 1 from users)`.execute(db);
  return rows[0]?.exists ?? false;
}

/** Makes whoever sets up the server at the same moment wait, until this transaction ends. */
export async function lockFirstUser(db: Sql): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('atelier:first-user', 0))`.execute(db);
}

/** Undefined: the email or the username is taken; the transaction goes on. */
export async function insertUser(
  db: Sql,
  user: User,
  passwordHash: string,
): Promise<User | undefined> {
  const { rows } = await sql<Row>`
    insert into users (id, email, username, name, password_hash, status, roles, created_at, updated_at)
    values (
      ${user.id}, ${user.email}, ${user.username}, ${user.name}, ${passwordHash}, ${user.status},
      ${user.roles}, ${user.createdAt}, ${user.updatedAt})
    on conflict do nothing
    returning ${COLUMNS}`.execute(db);
  return rows.map(fromRow)[0];
}

export async function isEmailTaken(db: Sql, email: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from users where lower(email) = lower(${email}) and deleted_at is null`.execute(db);
  return rows.length > 0;
}

export async function findUser(db: Sql, id: string): Promise<User | undefined> {
  const { rows } = await sql<Row>`
    /* by key */ select ${COLUMNS} from users where id = ${id} and deleted_at is null`.execute(db);
  return rows.map(fromRow)[0];
}

/** As lists show them. */
export async function listUserNames(
  db: Sql,
  ids: readonly string[],
): Promise<readonly Pick<User, "id" | "username" | "name">[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<Pick<User, "id" | "username" | "name">>`
    select id, username, name from users
    where id = any(${ids}::uuid[]) and deleted_at is null`.execute(db);
  return rows;
}

/** Locks the row, so that what is decided on it still holds when it is written. */
export async function findUserForUpdate(db: Sql, id: string): Promise<User | undefined> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from users where id = ${id} and deleted_at is null for update`.execute(db);
  return rows.map(fromRow)[0];
}

/**
 * Locks all owners who can sign in, together with the user. Two changes that would each leave one
 * owner cannot pass together: the second waits here, and then sees what the first did.
 */
export async function findUserAndOwnersForUpdate(
  db: Sql,
  id: string,
): Promise<{ readonly user: User | undefined; readonly ownerIds: readonly string[] }> {
  // In one order for everybody, so that two of them never wait for each other.
  const { rows } = await sql<Row>`
    select ${COLUMNS}
    from users
    where deleted_at is null and (id = ${id} or ('owner' = any(roles) and status <> 'suspended'))
    order by id
    for update`.execute(db);
  const users = rows.map(fromRow);
  const owners = users.filter(
    ({ roles, status }) => roles.includes("owner") && status !== "suspended",
  );
  return { user: users.find((user) => user.id === id), ownerIds: owners.map((user) => user.id) };
}

export async function findPasswordHash(db: Sql, id: string): Promise<string | null> {
  const { rows } = await sql<{ password_hash: string | null }>`
    select password_hash from users where id = ${id} and deleted_at is null`.execute(db);
  return rows[0]?.password_hash ?? null;
}

/** By email, without regard to case. */
export async function findUserForLogin(
  db: Sql,
  email: string,
): Promise<{ readonly user: User; readonly passwordHash: string | null } | undefined> {
  const { rows } = await sql<Row & { readonly password_hash: string | null }>`
    select ${COLUMNS}, password_hash
    from users
    where lower(email) = lower(${email}) and deleted_at is null`.execute(db);
  return rows.map((row) => ({ user: fromRow(row), passwordHash: row.password_hash }))[0];
}

export type UserFilter = {
  /** A part of the username, name or email. */
  readonly text?: string | undefined;
  readonly status?: UserStatus | undefined;
  readonly role?: Role | undefined;
};

/** A page by username. */
export async function listUsers(
  db: Sql,
  filter: UserFilter,
  page: { readonly afterUsername: string | null; readonly limit: number },
): Promise<User[]> {
  const { rows } = await sql<Row>`
    select ${COLUMNS}
    from users
    where ${matches(filter)} and lower(username) > lower(${page.afterUsername ?? ""})
    order by lower(username)
    limit ${page.limit}`.execute(db);
  return rows.map(fromRow);
}

export async function countUsers(db: Sql, filter: UserFilter): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from users where ${matches(filter)}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Throws when the username is taken: see isUsernameConflict(). */
export async function updateProfile(db: Sql, user: User): Promise<void> {
  await sql`
    update users set username = ${user.username}, name = ${user.name}, updated_at = ${user.updatedAt}
    where id = ${user.id} and deleted_at is null`.execute(db);
}

export function isUsernameConflict(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return code === "23505" && constraint === "users_username";
}

export async function updateRoles(db: Sql, user: User): Promise<void> {
  await sql`
    update users set roles = ${user.roles}, updated_at = ${user.updatedAt}
    where id = ${user.id} and deleted_at is null`.execute(db);
}

export async function updateStatus(db: Sql, user: User): Promise<void> {
  await sql`
    update users set status = ${user.status}, updated_at = ${user.updatedAt}
    where id = ${user.id} and deleted_at is null`.execute(db);
}

export async function updatePasswordHash(
  db: Sql,
  user: { readonly id: string; readonly passwordHash: string; readonly updatedAt: Date },
): Promise<void> {
  await sql`
    update users set password_hash = ${user.passwordHash}, updated_at = ${user.updatedAt}
    where id = ${user.id} and deleted_at is null`.execute(db);
}

/** The password goes with it: nobody signs in as a deleted user. */
export async function softDeleteUser(db: Sql, id: string, deletedAt: Date): Promise<void> {
  await sql`
    update users
    set deleted_at = ${deletedAt}, updated_at = ${deletedAt}, password_hash = null
    where id = ${id} and deleted_at is null`.execute(db);
}

/** Whoever comes back after a long time, or for the first time. */
export async function activateDormantUser(db: Sql, id: string, at: Date): Promise<void> {
  await sql`
    update users set status = 'active', updated_at = ${at}
    where id = ${id} and status = 'dormant' and deleted_at is null`.execute(db);
}

/** Written now and then from what was collected; an earlier time never wins. */
export async function updateLastSeen(
  db: Sql,
  seen: readonly { readonly userId: string; readonly usedAt: Date }[],
): Promise<void> {
  await sql`
    update users u set last_seen_at = s.used_at
    from (
      select user_id, max(used_at) as used_at
      from unnest(
        ${seen.map(({ userId }) => userId)}::uuid[],
        ${seen.map(({ usedAt }) => usedAt.toISOString())}::timestamptz[]) as t (user_id, used_at)
      group by user_id
    ) s
    where u.id = s.user_id and (u.last_seen_at is null or u.last_seen_at < s.used_at)`.execute(db);
}

function matches({ text, status, role }: UserFilter): RawBuilder<unknown> {
  const conditions = [sql`deleted_at is null`];
  if (text !== undefined && text !== "") {
    const pattern = `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    conditions.push(
      sql`(username ilike ${pattern} or name ilike ${pattern} or email ilike ${pattern})`,
    );
  }
  if (status !== undefined) conditions.push(sql`status = ${status}`);
  if (role !== undefined && role !== "member") conditions.push(sql`${role} = any(roles)`);
  return sql.join(conditions, sql` and `);
}

type Row = {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly name: string;
  readonly status: UserStatus;
  readonly roles: readonly string[];
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_seen_at: Date | null;
};

function fromRow(row: Row): User {
  return {
    id: row.id,
    email: row.email,
    username: row.username,
    name: row.name,
    status: row.status,
    roles: assignedRoles(row.roles),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastSeenAt: row.last_seen_at,
  };
}
