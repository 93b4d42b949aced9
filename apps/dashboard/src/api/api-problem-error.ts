/** A failure of the API as something to throw: the library that caches answers tells failures so. */
import type { ApiProblem } from "@atelier/contract/client";

export class ApiProblemError extends Error {
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** What went wrong, whatever was thrown. A bug of ours is told as one. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblemError) return error.problem;
  return {
    status: null,
    code: "client.answer_unreadable",
    message: "The page ran into a bug of its own.",
    detail: error instanceof Error ? error.message : String(error),
    validations: [],
    requestId: null,
    retryAfterSeconds: null,
  };
}
