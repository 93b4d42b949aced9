/**
 * What is wrong with what was typed, by field. The same schema judges here and on the server, so most
 * mistakes are told before anything is sent; what only the server knows comes back by field as well.
 */
import type { ApiProblem } from "@atelier/contract/client";
import type { Endpoint } from "@atelier/contract/endpoint";

/** As the server answers when a body is not valid. Null: nothing is wrong with it. */
export function problemOfBody(endpoint: Endpoint, body: unknown): ApiProblem | null {
  const parsed = endpoint.body?.safeParse(body);
  if (parsed === undefined || parsed.success) return null;
  return problemOfFields(
    parsed.error.issues.map(({ path, message }) => ({ field: path.join("."), detail: message })),
  );
}

/** For what no schema can see, as a text that is to be a number and is none. */
export function problemOfFields(validations: ApiProblem["validations"]): ApiProblem {
  return {
    status: 400,
    code: "request.invalid",
    message: "Some fields need correcting.",
    detail: null,
    validations,
    requestId: null,
    retryAfterSeconds: null,
  };
}

/** The first complaint about a field or about something inside it. */
export function complaintAbout(problem: ApiProblem | null, field: string): string | null {
  const about = problem?.validations.find(
    (each) => each.field === field || each.field.startsWith(`${field}.`),
  );
  return about?.detail ?? null;
}

/** Complaints that no shown field has taken: they must not be lost. */
export function complaintsBeside(
  problem: ApiProblem | null,
  fields: readonly string[],
): readonly string[] {
  return (problem?.validations ?? [])
    .filter(({ field }) => !fields.some((each) => field === each || field.startsWith(`${each}.`)))
    .map(({ field, detail }) => `${field}: ${detail}`);
}
