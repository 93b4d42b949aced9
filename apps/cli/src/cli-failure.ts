/**
 * Why a command did not do what it was asked, and the exit code that says so to programs. The codes
 * are API: scripts branch on them, and `atelier --help` lists them.
 */
import type { ApiProblem } from "@atelier/contract/client";
import { FAILURES, type Validation } from "@atelier/contract/failures";

export const EXIT_CODES = {
  done: 0,
  failed: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  conflict: 5,
  unreachable: 6,
  turnFailed: 7,
  actionRequired: 8,
  /** 128 + SIGINT, as shells say it. */
  cancelled: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** For `--help` and the reference. */
export const EXIT_CODE_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT_CODES.done, "done"],
  [EXIT_CODES.failed, "failed; the message says why"],
  [
    EXIT_CODES.usage,
    "the command line is not right, or an answer is needed and nobody can be asked",
  ],
  [EXIT_CODES.notSignedIn, "not signed in, or the token is not valid any more"],
  [EXIT_CODES.notFound, "no such thing, or you may not see it"],
  [EXIT_CODES.conflict, "conflicts with what exists, such as a name that is taken"],
  [EXIT_CODES.unreachable, "the server cannot be reached or is not ready"],
  [EXIT_CODES.turnFailed, "the agent's turn ended in an error, which was printed"],
  [EXIT_CODES.actionRequired, "the chat waits for the results of its client's own tools"],
  [EXIT_CODES.cancelled, "stopped by Ctrl-C"],
];

export type CliFailure = {
  readonly exitCode: ExitCode;
  /** A failure code of the API, or `cli.…` for what goes wrong before a request. */
  readonly code: string;
  readonly message: string;
  readonly detail: string | null;
  /** What the person can do about it. */
  readonly remedy: string | null;
  readonly validations: readonly Validation[];
  readonly status: number | null;
  readonly requestId: string | null;
};

export function usageFailure(message: string, remedy: string | null = null): CliFailure {
  return { ...PLAIN, exitCode: EXIT_CODES.usage, code: "cli.usage", message, remedy };
}

export function plainFailure(message: string, remedy: string | null = null): CliFailure {
  return { ...PLAIN, exitCode: EXIT_CODES.failed, code: "cli.failed", message, remedy };
}

export function notSignedInFailure(message: string): CliFailure {
  return {
    ...PLAIN,
    exitCode: EXIT_CODES.notSignedIn,
    code: "cli.not_signed_in",
    message,
    remedy: "Run `atelier login <url>`, or set ATELIER_URL and ATELIER_TOKEN.",
  };
}

export function notFoundFailure(message: string): CliFailure {
  return { ...PLAIN, exitCode: EXIT_CODES.notFound, code: "resource.not_found", message };
}

export function cancelledFailure(): CliFailure {
  return { ...PLAIN, exitCode: EXIT_CODES.cancelled, code: "cli.cancelled", message: "Cancelled." };
}

export function failureOfProblem(problem: ApiProblem): CliFailure {
  if (problem.code === "client.cancelled") return cancelledFailure();
  const { code, message, detail, validations, status, requestId, retryAfterSeconds } = problem;
  const wait = retryAfterSeconds === null ? null : `Try again in ${retryAfterSeconds} seconds.`;
  return {
    exitCode: exitCodeOf(problem),
    code,
    message,
    detail,
    remedy: wait ?? remedyOf(code),
    validations,
    status,
    requestId,
  };
}

function exitCodeOf({ code, status }: ApiProblem): ExitCode {
  if (code === "client.unreachable" || code === "client.timed_out") return EXIT_CODES.unreachable;
  if (status === 502 || status === 503 || status === 504) return EXIT_CODES.unreachable;
  // A foreign server's 401 or 404 says nothing about our sign-in or our things.
  if (code === "client.answer_unreadable") return EXIT_CODES.failed;
  if (status === 401) return EXIT_CODES.notSignedIn;
  if (status === 404) return EXIT_CODES.notFound;
  if (status === 409) return EXIT_CODES.conflict;
  return EXIT_CODES.failed;
}

function remedyOf(code: string): string | null {
  if (code === "client.answer_unreadable") {
    return "Check the URL, and that `atelier version` shows the same version for both sides.";
  }
  if (code === "request.invalid") return null; // The validations say it.
  return Object.hasOwn(FAILURES, code) ? FAILURES[code as keyof typeof FAILURES].remedy : null;
}

const PLAIN = {
  detail: null,
  remedy: null,
  validations: [],
  status: null,
  requestId: null,
} as const;
