/**
 * What people do to what runs in a workspace. It happens on the machine, so its audit row is written
 * right after it: when the database is away then, the answer says so, and the server's log what was done.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Logger } from "@atelier/base/logger";
import type { Failure } from "@atelier/contract/failures";
import type { ProcessInfo, PROCESS_SIGNALS } from "@atelier/contract/rpc/workspace/processes";
import type { MachineFailure } from "@atelier/contract/rpc/workspace/machine-failure";
import type { Sql } from "@atelier/database/database";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { KnownWorkspaceAgent } from "../workspaces/workspace.ts";
import type { Asking } from "./machine-path.ts";
import { fromMachine } from "./panel-failure.ts";

export type EffectDeps = {
  readonly sql: Sql;
  readonly log: Logger;
  /** Null: there is no such agent any more. */
  readonly findAgent: (agentId: string) => Promise<KnownWorkspaceAgent | null>;
};

type Doing = Asking & { readonly agentId: string; readonly audit: AuditTrail };

export async function signalProcess(
  deps: EffectDeps,
  { services, signal: gone, agentId, audit }: Doing,
  order: { readonly id: string; readonly signal: (typeof PROCESS_SIGNALS)[number] },
): Promise<Result<ProcessInfo, MachineFailure>> {
  const named = await nameAttempt(deps, { agentId, audit, id: order.id });
  if (!named.ok) return named;
  gone.throwIfAborted();
  // Not stopped half-way when the client leaves: what was begun is done, and written down.
  const done = await services.processes.signal(order);
  if (!done.ok) return fromMachine(done);
  const { process } = done.value;
  const additionalFields = { signal: order.signal, pid: process.pid };
  await writeDown(deps, audit, { ...named.value, additionalFields });
  return ok(process);
}

export async function closeTerminal(
  deps: EffectDeps,
  { services, signal: gone, agentId, audit }: Doing,
  id: string,
): Promise<Result<undefined, MachineFailure>> {
  const named = await nameAttempt(deps, { agentId, audit, id });
  if (!named.ok) return named;
  gone.throwIfAborted();
  const done = await services.terminals.close({ id });
  if (!done.ok) return fromMachine(done);
  await writeDown(deps, audit, { ...named.value, additionalFields: {} });
  return ok(undefined);
}

type Named = { readonly resourceId: string; readonly target: string };

/** By the workspace's name: commands may hold secrets, and stay out of the log. */
async function nameAttempt(
  { findAgent }: EffectDeps,
  { agentId, audit, id }: Pick<Doing, "agentId" | "audit"> & { readonly id: string },
): Promise<Result<Named, Failure<"resource.not_found">>> {
  const agent = await findAgent(agentId);
  if (agent === null) return fail({ code: "resource.not_found" });
  const named = { resourceId: id, target: `${agent.ownerName}/${agent.workspaceName}` };
  audit.attempted(named);
  return ok(named);
}

async function writeDown(
  { sql, log }: EffectDeps,
  audit: AuditTrail,
  entry: Named & { readonly additionalFields: Readonly<Record<string, unknown>> },
): Promise<void> {
  try {
    await audit.record(sql, entry);
  } catch (error) {
    log.error({ ...entry }, "what was done in a workspace could not be audited");
    throw error;
  }
}
