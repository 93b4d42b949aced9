/** Use cases of workspaces: look, create, rename, delete, and the token that attaches a machine. */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import { assert } from "@atelier/base/assert";
import type { Failure } from "@atelier/contract/failures";
import { WORKSPACE_COUNT_MAX } from "@atelier/contract/http/workspaces";
import type { Database, Sql } from "@atelier/database/database";
import { may, type Actor } from "../access/actor.ts";
import { findUserId } from "../access/principal-store.ts";
import { diffAudit } from "../audit/audit-event.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { REPLICA_SILENT_AFTER_MS } from "../deployment/replica-store.ts";
import { getDefaultOrganizationId } from "../organizations/organization-store.ts";
import { drawAgentToken, hashAgentToken } from "./agent-token.ts";
import { attachCommand, type AttachCommand } from "./attach-command.ts";
import { parseWorkspaceSearch } from "./workspace-search.ts";
import {
  countWorkspaces,
  findAgent,
  findWorkspaceForUpdate,
  insertWorkspace,
  insertWorkspaceAgent,
  isWorkspaceNameConflict,
  listWorkspaces,
  publishWorkspaceChange,
  softDeleteWorkspace,
  updateAgentToken,
  updateWorkspaceName,
  type WorkspaceFilter,
} from "./workspace-store.ts";
import {
  auditedWorkspace,
  EXTERNAL_AGENT_NAME,
  type Workspace,
  type WorkspaceAgent,
} from "./workspace.ts";

export type WorkspaceDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  /** Where people, and the machines that they attach, reach the deployment. */
  readonly accessUrl: string;
};

type NotFound = Failure<"resource.not_found">;
type NameTaken = Failure<"workspace.name_taken">;

const NOT_FOUND = fail({ code: "resource.not_found" } as const);

export async function addWorkspace(
  deps: WorkspaceDeps,
  input: { readonly ownerId: string; readonly name: string; readonly id?: string },
  audit: AuditTrail,
): Promise<Result<Workspace, NameTaken>> {
  const { ownerId, name, id = deps.random.uuid() } = input;
  audit.attempted({ resourceId: null, target: name });
  return deps.database.transaction(async (db) => {
    const organizationId = await getDefaultOrganizationId(db);
    const workspace = { id, ownerId, name, kind: "external", organizationId } as const;
    if (!(await insertWorkspace(db, { ...workspace, createdAt: deps.clock.now() }))) {
      return fail({ code: "workspace.name_taken" });
    }
    const agent = { id: deps.random.uuid(), workspaceId: id, name: EXTERNAL_AGENT_NAME };
    await insertWorkspaceAgent(db, agent);
    const diff = diffAudit(null, auditedWorkspace(workspace));
    await audit.record(db, { resourceId: id, target: name, diff });
    const added = await findIn(db, deps, { id });
    assert(added !== undefined, "a workspace that was just inserted is found");
    return ok(added);
  });
}

/** By id, or by owner and name. */
export async function showWorkspace(
  deps: WorkspaceDeps,
  which: { readonly id: string } | { readonly ownerId: string; readonly name: string },
): Promise<Result<Workspace, NotFound>> {
  const found = await deps.database.readOnlyTransaction((db) => findIn(db, deps, which));
  return found === undefined ? NOT_FOUND : ok(found);
}

/** All that somebody has, by name, as far as a list can be read at once. */
export function listAllWorkspacesOf(
  { database, clock }: WorkspaceDeps,
  ownerId: string,
): Promise<readonly Workspace[]> {
  const page = { afterId: null, offset: 0, limit: OWN_WORKSPACES_MAX };
  return listWorkspaces(database.sql, { ownerId }, { liveSince: liveSince(clock), page });
}

const OWN_WORKSPACES_MAX = 200;

export async function showWorkspaceAgent(
  { database, clock }: WorkspaceDeps,
  agentId: string,
): Promise<Result<WorkspaceAgent, NotFound>> {
  const found = await findAgent(database.sql, agentId, liveSince(clock));
  return found === undefined ? NOT_FOUND : ok(found);
}

export type WorkspaceQuery = {
  readonly q: string;
  readonly limit: number;
  readonly afterId: string | null;
  readonly offset: number | null;
};

export async function showWorkspaces(
  deps: WorkspaceDeps,
  actor: Actor,
  query: WorkspaceQuery,
): Promise<
  Result<
    { readonly workspaces: readonly Workspace[]; readonly count: number },
    Failure<"request.invalid"> | NotFound
  >
> {
  const search = parseWorkspaceSearch(query.q);
  if (!search.ok) return search;
  if (query.afterId !== null && query.offset !== null) {
    const validations = [{ field: "offset", detail: "Give either after_id or offset." }];
    return fail({ code: "request.invalid", validations });
  }
  // Whose credential lacks the scope sees nothing, also not their own.
  if (!may(actor, "workspace:read", actor.userId)) return NOT_FOUND;
  const { owner, name: namePart, status } = search.value;
  return deps.database.readOnlyTransaction(async (db) => {
    const asked = owner === undefined ? undefined : await resolveOwner(db, actor, owner);
    const own = may(actor, "workspace:read", null) ? undefined : actor.userId;
    const isNobody = owner !== undefined && asked === undefined;
    if (isNobody || (own !== undefined && asked !== undefined && asked !== own)) {
      return ok({ workspaces: [], count: 0 });
    }
    const filter: WorkspaceFilter = { ownerId: asked ?? own, namePart, status };
    const { afterId, limit } = query;
    const page = { afterId, limit, offset: query.offset ?? 0 };
    const since = liveSince(deps.clock);
    return ok({
      workspaces: await listWorkspaces(db, filter, { liveSince: since, page }),
      count: await countWorkspaces(db, filter, { liveSince: since, max: WORKSPACE_COUNT_MAX }),
    });
  });
}

export async function renameWorkspace(
  deps: WorkspaceDeps,
  input: { readonly id: string; readonly name: string },
  audit: AuditTrail,
): Promise<Result<Workspace, NameTaken | NotFound>> {
  const { id, name } = input;
  try {
    return await deps.database.transaction(async (db) => {
      const before = await findWorkspaceForUpdate(db, id);
      if (before === undefined) return NOT_FOUND;
      audit.attempted({ resourceId: id, target: before.name });
      await updateWorkspaceName(db, { id, name, updatedAt: deps.clock.now() });
      const diff = diffAudit(auditedWorkspace(before), auditedWorkspace({ ...before, name }));
      await audit.record(db, { resourceId: id, target: name, diff });
      await publishWorkspaceChange(db, id);
      const renamed = await findIn(db, deps, { id });
      return renamed === undefined ? NOT_FOUND : ok(renamed);
    });
  } catch (error) {
    // The transaction is undone: another of this owner's has the name, perhaps since a moment ago.
    if (isWorkspaceNameConflict(error)) return fail({ code: "workspace.name_taken" });
    throw error;
  }
}

/** Every server that holds something of it hears of it, and lets go. */
export async function dropWorkspace(
  deps: WorkspaceDeps,
  id: string,
  audit: AuditTrail,
): Promise<Result<undefined, NotFound>> {
  return deps.database.transaction(async (db) => {
    const before = await findWorkspaceForUpdate(db, id);
    if (before === undefined) return NOT_FOUND;
    audit.attempted({ resourceId: id, target: before.name });
    await softDeleteWorkspace(db, id, deps.clock.now());
    const diff = diffAudit(auditedWorkspace(before), null);
    await audit.record(db, { resourceId: id, target: before.name, diff });
    await publishWorkspaceChange(db, id);
    return ok(undefined);
  });
}

export type IssuedToken = AttachCommand & { readonly token: Secret };

/** The former token is void, and a machine that came with it is cut off. */
export async function issueAgentToken(
  deps: WorkspaceDeps,
  workspaceId: string,
  audit: AuditTrail,
): Promise<Result<IssuedToken, NotFound>> {
  const token = drawAgentToken(deps.random);
  const hashed = hashAgentToken(token);
  assert(hashed !== null, "a token that was just drawn is one of ours");
  return deps.database.transaction(async (db) => {
    const workspace = await findWorkspaceForUpdate(db, workspaceId);
    if (workspace === undefined) return NOT_FOUND;
    const agentId = await updateAgentToken(db, workspaceId, hashed);
    assert(agentId !== undefined, "a workspace has an agent");
    const entry = { resourceId: agentId, target: workspace.name, diff: TOKEN_DIFF };
    await audit.record(db, { ...entry, additionalFields: { workspace_id: workspaceId } });
    await publishWorkspaceChange(db, workspaceId);
    return ok({ token, ...attachCommand(deps.accessUrl, token) });
  });
}

const TOKEN_DIFF = { token: { secret: true } } as const;

async function findIn(
  db: Sql,
  { clock }: WorkspaceDeps,
  filter: WorkspaceFilter,
): Promise<Workspace | undefined> {
  const page = { afterId: null, offset: 0, limit: 1 };
  return (await listWorkspaces(db, filter, { liveSince: liveSince(clock), page }))[0];
}

async function resolveOwner(db: Sql, actor: Actor, ref: string): Promise<string | undefined> {
  return ref === "me" ? actor.userId : findUserId(db, ref);
}

function liveSince(clock: Clock): Date {
  return new Date(clock.now().getTime() - REPLICA_SILENT_AFTER_MS);
}
