/** Reads what an error of a model call holds: status, texts, and how long the provider wants to be left alone. */
import { APICallError, JSONParseError, TypeValidationError } from "@ai-sdk/provider";

export type ErrorFacts = {
  /** HTTP status of the provider's answer. */
  readonly status: number | null;
  /** For people: what the provider said, or the error itself. */
  readonly message: string;
  /** All texts there are, its causes' included, to look for words. */
  readonly text: string;
  readonly retryAfterMs: number | null;
};

const TEXT_CHARACTERS_MAX = 8_192;
const CAUSES_MAX = 5;

export function readError(error: unknown): ErrorFacts {
  const chain = causesOf(error);
  // An answer that could not be read is no refusal: its text is the model's.
  const call = chain.find((each) => APICallError.isInstance(each));
  const refusal = call === undefined || isSuccess(call.statusCode) ? undefined : call;
  const texts = [...chain.map(textOf), refusal?.responseBody ?? ""];
  return {
    status: refusal?.statusCode ?? chain.map(statusOf).find((status) => status !== null) ?? null,
    message: providerMessage(refusal) ?? chain.map(messageOf).find((text) => text !== "") ?? "",
    text: texts.join("\n").slice(0, TEXT_CHARACTERS_MAX),
    retryAfterMs: retryAfterMs(refusal?.responseHeaders),
  };
}

function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status < 400;
}

/** Streams report errors as any JSON: objects are read as well. */
function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  let each: unknown = error;
  while (each !== undefined && each !== null && chain.length < CAUSES_MAX) {
    const reported = reportedError(each);
    chain.push(reported ?? each);
    const isUnreadable = TypeValidationError.isInstance(each);
    each = !isUnreadable && typeof each === "object" && "cause" in each ? each.cause : undefined;
  }
  return chain;
}

/** Of an event that the client could not read: the provider's error in another shape than it expects. */
function reportedError(error: unknown): object | null {
  if (!TypeValidationError.isInstance(error)) return null;
  const { value } = error;
  if (typeof value !== "object" || value === null) return null;
  const isError = "error" in value || ("type" in value && value.type === "error");
  return isError ? value : null;
}

function textOf(error: unknown): string {
  if (typeof error === "string") return error;
  // What they say besides is about the shapes that the client knows, and about what the model wrote.
  if (TypeValidationError.isInstance(error) || JSONParseError.isInstance(error)) return error.name;
  if (error instanceof Error) {
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    return `${error.name} ${code} ${error.message}`;
  }
  return JSON.stringify(error) ?? "";
}

/** Empty: it says nothing. */
export function messageOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null) return "";
  if ("message" in error && typeof error.message === "string") return error.message;
  return "error" in error ? messageOf(error.error) : "";
}

function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null) return null;
  // In the middle of a stream some providers put it where others have a word.
  for (const key of ["statusCode", "status", "status_code", "code"] as const) {
    const value = (error as Readonly<Record<string, unknown>>)[key];
    if (typeof value === "number" && value >= 400 && value < 600) return value;
  }
  return "error" in error ? statusOf(error.error) : null;
}

/** What stands in the answer's body, in the shapes that providers share. */
function providerMessage(call: APICallError | undefined): string | null {
  if (call?.responseBody === undefined) return null;
  try {
    const message = messageOf(JSON.parse(call.responseBody));
    return message === "" ? null : message;
  } catch {
    // Not JSON, such as a proxy's page: the error's own text has to do.
    return null;
  }
}

function retryAfterMs(headers: Readonly<Record<string, string>> | undefined): number | null {
  const named = Object.entries(headers ?? {}).map(([key, value]) => [key.toLowerCase(), value]);
  const of = (name: string): number => Number(named.find(([key]) => key === name)?.[1] ?? "NaN");
  const ms = of("retry-after-ms");
  if (ms > 0) return Math.ceil(ms);
  const seconds = of("retry-after");
  return seconds > 0 ? Math.ceil(seconds * 1_000) : null;
}
