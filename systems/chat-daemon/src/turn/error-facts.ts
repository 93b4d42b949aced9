/** Reads what an error of a model call holds: status, texts, and how long the provider wants to be left alone. */
import { APICallError } from "@ai-sdk/provider";

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
  const call = chain.find((each) => APICallError.isInstance(each));
  const texts = [...chain.map(textOf), call?.responseBody ?? ""];
  return {
    status: call?.statusCode ?? chain.map(statusOf).find((status) => status !== null) ?? null,
    message: providerMessage(call) ?? chain.map(messageOf).find((text) => text !== "") ?? "",
    text: texts.join("\n").slice(0, TEXT_CHARACTERS_MAX),
    retryAfterMs: retryAfterMs(call?.responseHeaders),
  };
}

/** Streams report errors as any JSON: objects are read as well. */
function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  let each: unknown = error;
  while (each !== undefined && each !== null && chain.length < CAUSES_MAX) {
    chain.push(each);
    each = typeof each === "object" && "cause" in each ? each.cause : undefined;
  }
  return chain;
}

function textOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (error instanceof Error) {
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    return `${error.name} ${code} ${error.message}`;
  }
  return JSON.stringify(error) ?? "";
}

function messageOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null) return "";
  if ("message" in error && typeof error.message === "string") return error.message;
  return "error" in error ? messageOf(error.error) : "";
}

function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null) return null;
  for (const key of ["statusCode", "status", "status_code"] as const) {
    const value = (error as Readonly<Record<string, unknown>>)[key];
    if (typeof value === "number" && value >= 400 && value < 600) return value;
  }
  return null;
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
