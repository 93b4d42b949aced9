/**
 * Calls to a workspace on behalf of a tool. A link that broke is waited for: the call carries its stamp,
 * so the workspace answers a repeat with what happened the first time. What the workspace refuses
 * becomes what the model reads.
 */
import type { Clock } from "@atelier/base/clock";
import { ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import type { ToolContext, ToolOutcome } from "./tool.ts";

/** How long a tool waits for a link to come back. */
export const RECOVERY_MS_MAX = 30_000;
const RECOVERY_DELAY_MS = 250;
const RECOVERY_DELAY_MS_MAX = 2_000;

export const EFFECT_LOST =
  "The workspace stopped while this was running, and whether it took effect cannot be known. Look at the state of things first; do it again only if it is safe to do twice.";

type Failed = { readonly ok: false; readonly failure: ToolOutcome };

/** `work` may be repeated: it reads, or is stamped. */
export async function inWorkspace<Value>(
  context: ToolContext,
  work: (services: WorkspaceServices) => Promise<Result<Value, WorkspaceFailure>>,
): Promise<Result<Value, ToolOutcome>> {
  const workspace = await context.workspace();
  if (!workspace.ok) return { ok: false, failure: { kind: "error", message: workspace.failure } };
  const done = await withRecovery(context, () => work(workspace.value.services));
  return done.ok ? ok(done.value) : failed(done.failure);
}

/** As `inWorkspace`, where a call's failure means something to the tool. */
export async function withRecovery<Value>(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  work: () => Promise<Result<Value, WorkspaceFailure>>,
): Promise<Result<Value, WorkspaceFailure>> {
  const startedMs = clock.monotonicMs();
  for (let delayMs = RECOVERY_DELAY_MS; ; delayMs = Math.min(delayMs * 2, RECOVERY_DELAY_MS_MAX)) {
    const done = await work();
    const isOver = clock.monotonicMs() - startedMs + delayMs > RECOVERY_MS_MAX;
    if (done.ok || done.failure.code !== "disconnected" || isOver) return done;
    await clock.sleep(delayMs, signal);
  }
}

export function toOutcome(failure: WorkspaceFailure): ToolOutcome {
  switch (failure.code) {
    case "stale_fence":
      return { kind: "stale" };
    case "effect_lost":
      return { kind: "error", message: EFFECT_LOST };
    case "effect_mismatch":
      return {
        kind: "error",
        message: "This call was made before with another input, so it was not carried out.",
      };
    case "disconnected":
      return {
        kind: "error",
        message: `The workspace cannot be reached: ${failure.message} Whether the call took effect is not known.`,
      };
    case "invalid":
    case "not_found":
    case "already_exists":
    case "not_a_file":
    case "not_a_directory":
    case "permission_denied":
    case "outside_root":
    case "too_large":
    case "no_space":
    case "conflict":
    case "unsupported":
    case "busy":
    case "timed_out":
    case "failed":
      return { kind: "error", message: failure.message };
  }
}

function failed(failure: WorkspaceFailure): Failed {
  return { ok: false, failure: toOutcome(failure) };
}
