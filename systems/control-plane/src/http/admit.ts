/**
 * Everything that is decided about a request before its body is read: who asks, whether too often,
 * whether from our own pages, about whom, and whether they may.
 *
 * Whoever may not touch a thing gets the answer for a thing that does not exist, so that names
 * cannot be found out by asking.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Endpoint } from "@atelier/contract/endpoint";
import type { Failure } from "@atelier/contract/failures";
import type { IncomingHttpHeaders } from "node:http";
import { csrfTokenOf, equalsInConstantTime } from "../access/api-key.ts";
import { mayTouch, type Actor, type ChatSubject } from "../access/actor.ts";
import { presentedToken, type PresentedToken, type SignInCookies } from "./presented-token.ts";
import { invalidRequest } from "./problem.ts";
import type { AssumedActor } from "./assumed-actor.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { RequestAudit } from "./request-audit.ts";

export type AdmitDeps = {
  readonly rateLimit: RateLimit;
  readonly cookies: SignInCookies;
  /** Null: this credential lets nobody in. */
  readonly authenticate: (token: string) => Promise<Actor | null>;
  /** The same with a chat, as this person finds it; undefined: there is no such chat. */
  readonly authenticateForChat: (
    token: string,
    chatId: string,
  ) => Promise<{ readonly actor: Actor; readonly chat: ChatSubject | undefined } | null>;
  /** Who that was a while ago. Null: nobody knows, so it has to be looked at. */
  readonly assumeForChat: (token: string, chatId: string) => AssumedActor | null;
  /** By id or username; undefined when there is no such user. */
  readonly findUserId: (ref: string) => Promise<string | undefined>;
  /** Undefined when there is no such workspace, or none with such a workspace agent. */
  readonly findWorkspace: (ref: WorkspaceRef) => Promise<WorkspaceSubject | undefined>;
  /** As this person finds it. Undefined when there is no such chat. */
  readonly findChat: (chatId: string, userId: string) => Promise<ChatSubject | undefined>;
};

/** As paths name one: by its own id, or by its workspace agent's. */
export type WorkspaceRef = { readonly workspaceId: string } | { readonly workspaceAgentId: string };

export type WorkspaceSubject = { readonly workspaceId: string; readonly ownerId: string };

/** What of an endpoint decides who is let in. */
export type Admitting = Pick<Endpoint, "access" | "method" | "params"> & {
  /** The path names nothing, and is about what the caller owns. */
  readonly subject?: "self";
};

export type Arrival = {
  readonly endpoint: Admitting;
  readonly headers: IncomingHttpHeaders;
  readonly params: unknown;
  readonly ip: string;
  readonly audit: RequestAudit | null;
  /** Absent: who asks is looked at. */
  readonly assumed?: AssumedActor | undefined;
};

export type Admitted = {
  readonly actor: Actor | null;
  /** The user whose thing it is. */
  readonly subjectId: string | null;
  readonly params: Record<string, unknown>;
};

type Refusal = Failure<
  | "request.unauthenticated"
  | "request.rate_limited"
  | "request.csrf"
  | "request.invalid"
  | "resource.not_found"
>;

const NOT_FOUND = fail({ code: "resource.not_found" } as const);

/** Whom a request about a chat can be taken to be from. */
export function assumedActor(
  deps: AdmitDeps,
  { headers, params }: { readonly headers: IncomingHttpHeaders; readonly params: unknown },
): AssumedActor | null {
  const { chat } = params as { readonly chat?: unknown };
  const presented = presentedToken(headers, deps.cookies);
  if (presented === null || typeof chat !== "string") return null;
  return deps.assumeForChat(presented.token, chat);
}

export async function admit(deps: AdmitDeps, arrival: Arrival): Promise<Result<Admitted, Refusal>> {
  const { endpoint, headers, audit, assumed } = arrival;
  const presented = presentedToken(headers, deps.cookies);
  const params = endpoint.params.safeParse(arrival.params);
  const entered = assumed ?? (presented && (await enter(deps, endpoint, presented, params.data)));
  const actor = entered?.actor ?? null;

  const waitSeconds = deps.rateLimit.take(actor === null ? `ip:${arrival.ip}` : actor.userId);
  if (waitSeconds !== null) {
    return fail({ code: "request.rate_limited", retryAfterSeconds: waitSeconds });
  }
  if (isForged(endpoint, headers, presented)) return fail({ code: "request.csrf" });

  if (endpoint.access === "public") {
    return params.success
      ? ok({ actor, subjectId: null, params: params.data })
      : fail(invalidRequest(params.error));
  }
  if (entered === null) return fail({ code: "request.unauthenticated" });
  audit?.actorIs(entered.actor);
  audit?.pathNames(
    Object.values(arrival.params ?? {})
      .map(String)
      .at(-1) ?? "",
  );
  if (!params.success) return fail(invalidRequest(params.error));
  return admitActor(deps, { endpoint, ...entered, params: params.data });
}

/** `chat`: null where the path names none. */
type Entered = { readonly actor: Actor; readonly chat: ChatSubject | undefined | null };

async function enter(
  deps: AdmitDeps,
  { subject }: Admitting,
  { token }: PresentedToken,
  params: Record<string, unknown> | undefined,
): Promise<Entered | null> {
  const chatId = params?.["chat"];
  if (typeof chatId === "string" && subject !== "self" && typeof params?.["user"] !== "string") {
    return deps.authenticateForChat(token, chatId);
  }
  const actor = await deps.authenticate(token);
  return actor && { actor, chat: null };
}

async function admitActor(
  deps: AdmitDeps,
  request: Entered & {
    readonly endpoint: Admitting;
    readonly params: Record<string, unknown>;
  },
): Promise<Result<Admitted, Refusal>> {
  const { endpoint, actor, chat, params } = request;
  const subject =
    endpoint.subject === "self"
      ? ownedBy(actor.userId)
      : chat === null
        ? await resolveSubject(deps, actor, params)
        : chat;
  if (subject === undefined) return NOT_FOUND;
  const isAllowed =
    endpoint.access === "signed_in" ||
    endpoint.access === "public" ||
    mayTouch(actor, endpoint.access, subject);
  return isAllowed ? ok({ actor, subjectId: subject.ownerId, params }) : NOT_FOUND;
}

/** Whose thing a path names. Null: nobody's. */
type Subject = { readonly ownerId: string | null; readonly isShared: boolean };

const NOBODYS: Subject = { ownerId: null, isShared: false };

function ownedBy(ownerId: string | undefined): Subject | undefined {
  return ownerId === undefined ? undefined : { ownerId, isShared: false };
}

/** Undefined: what it names does not exist. Chats are found with whoever asks. */
async function resolveSubject(
  deps: AdmitDeps,
  actor: Actor,
  params: Record<string, unknown>,
): Promise<Subject | undefined> {
  const user = params["user"];
  if (typeof user === "string") return ownedBy(await resolveUser(deps, actor, user));
  const ref = workspaceRefOf(params);
  return ref === null ? NOBODYS : ownedBy((await deps.findWorkspace(ref))?.ownerId);
}

/** What something that stays open is about. */
export type ThingRef =
  | WorkspaceRef
  | { readonly chatId: string }
  /** All that a person owns of a kind. */
  | { readonly userId: string };

export type Thing = {
  readonly ownerId: string;
  readonly isShared: boolean;
  readonly workspaceId: string | null;
};

/** As this person finds it. Undefined: it is not there any more. */
export async function findThing(
  deps: Pick<AdmitDeps, "findWorkspace" | "findChat">,
  ref: ThingRef,
  userId: string,
): Promise<Thing | undefined> {
  if ("userId" in ref) return { ownerId: ref.userId, isShared: false, workspaceId: null };
  if ("chatId" in ref) {
    const chat = await deps.findChat(ref.chatId, userId);
    return chat && { ...chat, workspaceId: null };
  }
  const workspace = await deps.findWorkspace(ref);
  return workspace && { ...workspace, isShared: false };
}

/** What the path of an open thing names; the caller's own things where it names none. */
export function thingRefOf(params: Record<string, unknown>, actor: Actor): ThingRef {
  const { chat } = params;
  if (typeof chat === "string") return { chatId: chat };
  return workspaceRefOf(params) ?? { userId: actor.userId };
}

/** Null: the path names no workspace. */
function workspaceRefOf(params: Record<string, unknown>): WorkspaceRef | null {
  const { workspace, agent } = params;
  if (typeof workspace === "string") return { workspaceId: workspace };
  return typeof agent === "string" ? { workspaceAgentId: agent } : null;
}

async function resolveUser(
  deps: AdmitDeps,
  actor: Actor,
  ref: string,
): Promise<string | undefined> {
  return ref === "me" || ref === actor.userId ? actor.userId : deps.findUserId(ref);
}

/**
 * Whether another site's page may have made the browser send this. A header with a credential
 * proves the opposite; a cookie needs the CSRF token beside it. Browsers also say where an
 * unsafe request comes from, which protects endpoints that need no credential, such as login.
 */
function isForged(
  endpoint: Admitting,
  headers: IncomingHttpHeaders,
  presented: PresentedToken | null,
): boolean {
  if (endpoint.method === "GET" || presented?.source === "header") return false;
  if (headers["sec-fetch-site"] === "cross-site") return true;
  // A public endpoint does nothing on the strength of the cookie.
  if (presented === null || endpoint.access === "public") return false;
  const given = headers["x-csrf-token"];
  return typeof given !== "string" || !equalsInConstantTime(given, csrfTokenOf(presented.token));
}
