/** Failures on the wire: status, headers and body. The only file that knows how they look. */
import { FAILURES, type Failure, type Validation } from "@atelier/contract/failures";
import type { z } from "zod";

export type ProblemAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly message: string;
    readonly detail?: string;
    readonly validations?: readonly Validation[];
    readonly code: string;
    readonly request_id: string;
  };
};

/** Clients switch on `code`; people read `message` and `detail`. */
export function toProblem(failure: Failure, requestId: string): ProblemAnswer {
  const { code, detail, validations, retryAfterSeconds } = failure;
  const { status, message } = FAILURES[code];
  return {
    status,
    headers: retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
    body: {
      message,
      ...(detail === undefined ? {} : { detail }),
      ...(validations === undefined ? {} : { validations }),
      code,
      request_id: requestId,
    },
  };
}

/** At most this many complaints reach the client: a body can be wrong in thousands of places. */
const VALIDATIONS_MAX = 50;

/** What zod says of values holds no values, except enum choices: it is fit for the client. */
export function invalidRequest(error: z.ZodError): Failure<"request.invalid"> {
  const validations = error.issues.slice(0, VALIDATIONS_MAX).map(({ path, message }) => ({
    field: path.join("."),
    detail: message,
  }));
  return { code: "request.invalid", validations };
}
