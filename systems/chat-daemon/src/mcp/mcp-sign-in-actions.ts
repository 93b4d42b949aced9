/**
 * Signs people in to tool servers, and keeps their tokens fresh. An access token is renewed by one server
 * of the deployment at a time, because a refresh token often serves only once; others wait for what it
 * gets. No lock is held while an authorization server is asked.
 */
import { createHash } from "node:crypto";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { ServiceAudit } from "@atelier/contract/rpc/endpoint-service";
import type { Sql } from "@atelier/database/database";
import type { z } from "zod";
import type { McpFailure, McpServer } from "./mcp-server.ts";
import type { McpServerDeps } from "./mcp-server-actions.ts";
import { findServer, lockServers } from "./mcp-server-store.ts";
import {
  KeptAttempt,
  KeptSignIn,
  needsSignIn,
  OAuthSecrets,
  type McpAuthorizer,
  type NewClient,
  type OAuthGrant,
  type OAuthTokens,
} from "./mcp-sign-in.ts";
import {
  claimRenewal,
  deleteAttempts,
  deleteRenewed,
  deleteSignIns,
  endRenewal,
  findAttempt,
  findSignIn,
  insertAttempt,
  insertSignIn,
  listSignIns,
  takeAttempt,
  type SignIn,
} from "./mcp-sign-in-store.ts";

export type McpSignInDeps = McpServerDeps & {
  readonly log: Logger;
  readonly authorizer: McpAuthorizer;
  /** Of this deployment, as browsers reach it. */
  readonly accessUrl: string;
};

const CALLBACK_PATH = "/api/v2/mcp-servers/oauth2/callback";
/** Time for a person to sign in. */
const ATTEMPT_MS = 10 * 60_000;
const CLIENT_KEPT_MS = 30 * 86_400_000;
/** An access token is renewed so long before its end. */
const EARLY_MS = 60_000;
/** Longer than an authorization server may take. */
const RENEWAL_MS = 15_000;
/** For another server that renews: until it would be given up, and a try of one's own. */
const WAIT_MS = 20_000;
const LOOK_AGAIN_MS = 250;
const STATE_LENGTH = 43;

type BeginFailure = Failure<"mcp_server.sign_in_not_needed" | "mcp_server.sign_in_failed">;

export class McpSignIns {
  readonly #deps: McpSignInDeps;

  constructor(deps: McpSignInDeps) {
    this.#deps = deps;
  }

  /** Of one person. */
  signIns(userId: string): Promise<readonly SignIn[]> {
    return listSignIns(this.#deps.database.sql, userId);
  }

  /** Ids of the servers. */
  async signedInTo(userId: string): Promise<ReadonlySet<string>> {
    return new Set((await this.signIns(userId)).map(({ serverId }) => serverId));
  }

  /** Where the person's browser goes on. */
  async begin(
    server: McpServer,
    userId: string,
    signal: AbortSignal,
  ): Promise<
    Result<{ readonly authorizationUrl: string; readonly expiresAt: Date }, BeginFailure>
  > {
    if (server.authType !== "oauth2") return fail({ code: "mcp_server.sign_in_not_needed" });
    const { authorizer, random, clock, accessUrl, database } = this.#deps;
    const kept = await this.#opened(server.id, OAuthSecrets);
    const isKnown = (kept?.known?.untilMs ?? 0) > clock.now().getTime();
    const state = random.alphanumeric(STATE_LENGTH);
    const begun = await authorizer.begin(
      {
        ...{ serverUrl: server.url, redirectUrl: `${accessUrl}${CALLBACK_PATH}`, state },
        ...{ client: kept?.client ?? null, known: isKnown ? (kept?.known ?? null) : null },
        scope: server.oauthScope,
      },
      signal,
    );
    if (!begun.ok) return fail({ code: "mcp_server.sign_in_failed", detail: begun.failure });
    const expiresAt = new Date(clock.now().getTime() + ATTEMPT_MS);
    const id = random.uuid();
    const isBegun = await database.transaction(async (sql) => {
      if (!(await isUnchanged(sql, server))) return false;
      await this.#forgetExpired(sql);
      const about = { id, serverId: server.id, userId, expiresAt };
      await insertAttempt(sql, { ...about, stateHash: hashOf(state) });
      await this.#deps.secrets.put(sql, id, JSON.stringify(begun.value.kept));
      const { newClient } = begun.value;
      if (newClient !== null) await this.#keepClient(sql, server, newClient);
      return true;
    });
    if (!isBegun) return signInFailed(CHANGED);
    return ok({ authorizationUrl: begun.value.authorizationUrl, expiresAt });
  }

  /** What the browser brings back. The state serves once, and only for the person who began. */
  async finish(
    audit: ServiceAudit,
    userId: string,
    answer: {
      readonly state: string;
      readonly code: string | undefined;
      readonly iss: string | undefined;
      readonly error: string | undefined;
    },
  ): Promise<Result<McpServer, Failure<"mcp_server.sign_in_failed">>> {
    const { authorizer } = this.#deps;
    const found = await this.#attempt(hashOf(answer.state), userId);
    if (found === undefined) return signInFailed(STALE);
    const { kept, server } = found;
    audit.attempted({ resourceId: server.id, target: server.slug });
    if (answer.code === undefined) return signInFailed(wordsOfError(answer.error));
    const { code, iss } = answer;
    const tokens = await authorizer.finish(server.url, kept, { code, iss });
    if (!tokens.ok) return signInFailed(tokens.failure);
    const isKept = await this.#keepSignIn(audit, { server, userId, kept, tokens: tokens.value });
    return isKept ? ok(server) : signInFailed(CHANGED);
  }

  async signOut(audit: ServiceAudit, server: McpServer, userId: string): Promise<void> {
    const { database, authorizer } = this.#deps;
    const signIn = await findSignIn(database.sql, { serverId: server.id, userId });
    const kept = signIn && (await this.#opened(signIn.id, KeptSignIn));
    await database.transaction(async (sql) => {
      const was = await this.#forget(sql, server.id, userId);
      const named = { resourceId: server.id, target: server.slug };
      await audit.record(sql, { ...named, before: { signed_in: was }, after: null });
    });
    if (kept !== undefined) await authorizer.revoke(server.url, kept);
  }

  /**
   * A token that should serve, of this sign-in. `refused`: the server did not take that one. A failure is
   * what people read.
   */
  async accessToken(
    server: McpServer,
    userId: string,
    refused?: string,
  ): Promise<Result<string, McpFailure>> {
    const { database, clock } = this.#deps;
    const untilMs = clock.monotonicMs() + WAIT_MS;
    for (;;) {
      const signIn = await findSignIn(database.sql, { serverId: server.id, userId });
      const kept = signIn && (await this.#opened(signIn.id, KeptSignIn));
      if (signIn === undefined || kept === undefined) return fail(lapsed(server));
      const leftMs = this.#leftMs(signIn);
      const isUsable = leftMs > 0 && kept.accessToken !== refused;
      if (isUsable && (leftMs > EARLY_MS || kept.refreshToken === null)) {
        return ok(kept.accessToken);
      }
      const renewed = await this.#renew(server, { signIn, kept });
      if (renewed === "over") return fail(lapsed(server));
      if (renewed === "away" && isUsable) return ok(kept.accessToken);
      if (renewed === "away") return fail(notNow(AWAY));
      if (clock.monotonicMs() >= untilMs) return fail(notNow(BUSY));
      if (renewed === "elsewhere") await clock.sleep(LOOK_AGAIN_MS, new AbortController().signal);
    }
  }

  /** Taken: it does not serve again. */
  async #attempt(
    stateHash: Buffer,
    userId: string,
  ): Promise<{ readonly kept: KeptAttempt; readonly server: McpServer } | undefined> {
    const { database, secrets, clock } = this.#deps;
    const attempt = await findAttempt(database.sql, { stateHash, userId });
    const kept = attempt && (await this.#opened(attempt.id, KeptAttempt));
    if (attempt === undefined || kept === undefined) return undefined;
    const server = await database.transaction(async (sql) => {
      if (!(await takeAttempt(sql, attempt.id))) return undefined;
      await secrets.remove(sql, attempt.id);
      return findServer(sql, attempt.serverId);
    });
    if (server === undefined || attempt.expiresAt <= clock.now()) return undefined;
    return { kept, server };
  }

  /** False: the server is not any more what the person signed in to. */
  async #keepSignIn(
    audit: ServiceAudit,
    signIn: {
      readonly server: McpServer;
      readonly userId: string;
      readonly kept: KeptAttempt;
      readonly tokens: OAuthTokens;
    },
  ): Promise<boolean> {
    const { database, secrets, clock, random } = this.#deps;
    const { server, userId, kept, tokens } = signIn;
    const id = random.uuid();
    const { expiresAt, value } = this.#kept(kept.grant, tokens);
    return database.transaction(async (sql) => {
      if (!(await isUnchanged(sql, server))) return false;
      await this.#forget(sql, server.id, userId);
      const about = { id, serverId: server.id, userId, expiresAt, now: clock.now() };
      await insertSignIn(sql, about);
      await secrets.put(sql, id, value);
      const named = { resourceId: server.id, target: server.slug };
      await audit.record(sql, { ...named, before: null, after: { signed_in: true } });
      return true;
    });
  }

  async #renew(
    server: McpServer,
    { signIn, kept }: { readonly signIn: SignIn; readonly kept: KeptSignIn },
  ): Promise<"done" | "elsewhere" | "away" | "over"> {
    const { database, clock, random, secrets, authorizer, log } = this.#deps;
    const refresher = random.uuid();
    const now = clock.now();
    const until = new Date(now.getTime() + RENEWAL_MS);
    if (!(await claimRenewal(database.sql, { signIn, refresher, now, until }))) return "elsewhere";
    const claim = { id: signIn.id, refresher };
    const over = { words: "There is no refresh token.", isOver: true };
    const { grant, refreshToken } = kept;
    const renewed =
      refreshToken === null ? fail(over) : await authorizer.renew(server.url, grant, refreshToken);
    if (renewed.ok) {
      const { accessToken, livesMs } = renewed.value;
      // Where a new one is not given, the old one goes on serving.
      const next = {
        accessToken,
        livesMs,
        refreshToken: renewed.value.refreshToken ?? refreshToken,
      };
      const { expiresAt, value } = this.#kept(grant, next);
      await database.transaction(async (sql) => {
        if (await endRenewal(sql, claim, { expiresAt })) await secrets.put(sql, signIn.id, value);
      });
      return "done";
    }
    const { words, isOver } = renewed.failure;
    log.warn({ server: server.slug, reason: words, isOver }, "a sign-in was not renewed");
    if (!isOver) {
      await endRenewal(database.sql, claim, null);
      return "away";
    }
    await database.transaction(async (sql) => {
      if (await deleteRenewed(sql, claim)) await secrets.remove(sql, signIn.id);
    });
    return "over";
  }

  #leftMs({ expiresAt }: SignIn): number {
    return expiresAt === null ? Infinity : expiresAt.getTime() - this.#deps.clock.now().getTime();
  }

  #kept(
    grant: OAuthGrant,
    { accessToken, refreshToken, livesMs }: OAuthTokens,
  ): { readonly expiresAt: Date | null; readonly value: string } {
    const kept: KeptSignIn = { grant, accessToken, refreshToken };
    const expiresAt =
      livesMs === null ? null : new Date(this.#deps.clock.now().getTime() + livesMs);
    return { expiresAt, value: JSON.stringify(kept) };
  }

  /** For everybody who signs in to this server from now on. */
  async #keepClient(sql: Sql, server: McpServer, added: NewClient): Promise<void> {
    const { secretExpiresAt, ...known } = added;
    const untilMs = this.#deps.clock.now().getTime() + CLIENT_KEPT_MS;
    const secrets: OAuthSecrets = {
      known: { ...known, untilMs: Math.min(untilMs, secretExpiresAt?.getTime() ?? Infinity) },
    };
    await this.#deps.secrets.put(sql, server.id, JSON.stringify(secrets));
  }

  /** False: the person was not signed in. */
  async #forget(sql: Sql, serverId: string, userId: string): Promise<boolean> {
    const ids = await deleteSignIns(sql, { serverId, userId });
    for (const id of ids) await this.#deps.secrets.remove(sql, id);
    return ids.length > 0;
  }

  async #forgetExpired(sql: Sql): Promise<void> {
    const ids = await deleteAttempts(sql, { expiredBy: this.#deps.clock.now() });
    for (const id of ids) await this.#deps.secrets.remove(sql, id);
  }

  async #opened<Schema extends z.ZodType>(
    id: string,
    schema: Schema,
  ): Promise<z.output<Schema> | undefined> {
    const secret = await this.#deps.secrets.read(id);
    return secret && schema.parse(JSON.parse(secret.reveal()));
  }
}

const STALE =
  "This sign-in was not begun by you, or it was too long ago. Begin it again, and finish it in a browser in which you are signed in here.";

const CHANGED = "The tool server was changed in the meantime. Begin the sign-in again.";

/** Until the transaction ends, nobody changes it. */
async function isUnchanged(sql: Sql, { id, updatedAt }: McpServer): Promise<boolean> {
  await lockServers(sql);
  const now = await findServer(sql, id);
  return now !== undefined && now.updatedAt.getTime() === updatedAt.getTime();
}

const AWAY =
  "The sign-in cannot be renewed at the moment: the authorization server does not answer.";
const BUSY = "The sign-in is being renewed by another server, which takes too long.";

function notNow(words: string): McpFailure {
  return { words, isRefused: false };
}

function lapsed(server: McpServer): McpFailure {
  return { words: needsSignIn(server), isRefused: true };
}

function signInFailed(detail: string): Result<never, Failure<"mcp_server.sign_in_failed">> {
  return fail({ code: "mcp_server.sign_in_failed", detail });
}

/** Codes of the standard only: what else comes is somebody's text. */
function wordsOfError(error: string | undefined): string {
  if (error === "access_denied") return "It was refused there.";
  const isCode = error !== undefined && /^[a-z_]{1,40}$/.test(error);
  return isCode ? `The authorization server says ${error}.` : "The answer holds no code.";
}

function hashOf(state: string): Buffer {
  return createHash("sha256").update(state).digest();
}
