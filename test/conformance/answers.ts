/** What the conformance of services says about their answers. */
import type {
  WorkspaceFailure,
  WorkspaceFailureCode,
} from "@atelier/contract/rpc/workspace/operation";
import type { Result } from "@atelier/base/result";
import assert from "node:assert/strict";

export function valueOf<Value>(answer: Result<Value, WorkspaceFailure>): Value {
  assert.ok(answer.ok, answer.ok ? "" : `${answer.failure.code}: ${answer.failure.message}`);
  return answer.value;
}

export function failsWith(
  answer: Result<unknown, WorkspaceFailure>,
  code: WorkspaceFailureCode,
  says = /./,
): void {
  assert.ok(!answer.ok, `it fails with ${code}`);
  assert.equal(answer.failure.code, code, answer.failure.message);
  assert.match(answer.failure.message, says);
}
