/**
 * What `--json` prints: one document, in the shapes of the API.
 *
 * Characters that a terminal could act on are escaped, which JSON allows everywhere in a string.
 */
import type { CliFailure } from "../cli-failure.ts";

export function formatJson(value: unknown): string {
  return escaped(JSON.stringify(value, null, 2));
}

/** For commands that print one document after another. */
export function formatJsonLine(value: unknown): string {
  return escaped(JSON.stringify(value));
}

function escaped(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

export function failureJson(failure: CliFailure): unknown {
  const { code, message, detail, remedy, validations, status, requestId, exitCode } = failure;
  return {
    error: {
      code,
      message,
      detail,
      remedy,
      validations,
      status,
      request_id: requestId,
      exit_code: exitCode,
    },
  };
}
