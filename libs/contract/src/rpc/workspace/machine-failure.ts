/** What a machine's refusals mean to clients of our API. */
import type { Failure } from "../../failures.ts";
import type { WorkspaceFailure } from "./operation.ts";

export type MachineFailure = Failure<
  | "workspace_agent.disconnected"
  | "workspace_agent.refused"
  | "workspace_agent.failed"
  | "resource.not_found"
  | "request.invalid"
>;

/** Codes say whether asking again helps; the machine's own sentence says the rest. */
export function toMachineFailure({ code, message }: WorkspaceFailure): MachineFailure {
  switch (code) {
    case "disconnected":
      return { code: "workspace_agent.disconnected" };
    case "not_found":
      return { code: "resource.not_found", detail: message };
    case "invalid":
    case "outside_root":
      return { code: "request.invalid", detail: message };
    case "not_a_file":
    case "not_a_directory":
    case "permission_denied":
    case "too_large":
    case "conflict":
    case "unsupported":
    case "already_exists":
      return { code: "workspace_agent.refused", detail: message };
    case "no_space":
    case "stale_fence":
    case "effect_mismatch":
    case "effect_lost":
    case "busy":
    case "timed_out":
    case "failed":
      return { code: "workspace_agent.failed", detail: message };
  }
}
