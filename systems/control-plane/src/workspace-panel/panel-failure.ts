/** A machine's answer as clients of our API get it. Pure. */
import { fail, type Result } from "@atelier/base/result";
import {
  toMachineFailure,
  type MachineFailure,
} from "@atelier/contract/rpc/workspace/machine-failure";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";

/** The machine's answer, or what it means to the client that there is none. */
export function fromMachine<Value>(
  outcome: Result<Value, WorkspaceFailure>,
): Result<Value, MachineFailure> {
  return outcome.ok ? outcome : fail(toMachineFailure(outcome.failure));
}
