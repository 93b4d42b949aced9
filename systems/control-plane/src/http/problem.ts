/** Failures on the wire: status, headers and body. The only file that knows how they look. */
import { maskCredential } from "@atelier/base/mask";
import {
  FAILURES,
  type Failure,
  type UsageLimitFacts,
  type Validation,
} from "@atelier/contract/failures";
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
  } & Partial<UsageLimitFacts>;
};

/** Clients switch on `code`; people read `message` and `detail`. */
export function toProblem(failure: Failure, requestId: string): ProblemAnswer {
  const { code, detail, validations, retryAfterSeconds, usageLimit } = failure;
  const { status, message } = FAILURES[code];
  return {
    status,
    headers: retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
    body: {
      message,
      ...(detail === undefined ? {} : { detail }),
      ...(validations === undefined ? {} : { validations }),
      code,
      ...usageLimit,
      request_id: requestId,
    },
  };
}

/** At most this many complaints reach the client: a body can be wrong in thousands of places. */
const VALIDATIONS_MAX = 50;

/**
 * What zod says of values holds no values, except enum choices: it is fit for the client. Names of
 * fields that we do not know are the client's own words.
 */
export function invalidRequest(error: z.ZodError): Failure<"request.invalid"> {
  const validations = error.issues.slice(0, VALIDATIONS_MAX).map((issue) => ({
    field: issue.path.join("."),
    detail: issue.code === "unrecognized_keys" ? describeUnknown(issue.keys) : issue.message,
  }));
  return { code: "request.invalid", validations };
}

/** Longer than any of ours. A secret in a field's place would be repeated, and end up in some log. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;

function describeUnknown(names: readonly string[]): string {
  const shown = names
    .slice(0, VALIDATIONS_MAX)
    .map((name) => `"${FIELD_NAME.test(name) ? name : maskCredential(name)}"`);
  return `Unrecognized ${names.length === 1 ? "key" : "keys"}: ${shown.join(", ")}`;
}
