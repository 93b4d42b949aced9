/**
 * Errors of Amazon Bedrock in the messages format's words. A client of Anthropic's API would not know
 * AWS's own shape, and the record could not sort it.
 */
import { errorBody } from "@atelier/model-wire/error-body";
import { objectIn, parseLooseJson, textIn } from "@atelier/model-wire/loose-json";

export type BedrockError = {
  readonly status: number;
  /** Of the messages format. */
  readonly type: string;
  readonly message: string;
};

/** By the exception's name. Others go by their status. */
const EXCEPTIONS: Readonly<Record<string, Pick<BedrockError, "status" | "type">>> = {
  validationexception: { status: 400, type: "invalid_request_error" },
  servicequotaexceededexception: { status: 400, type: "invalid_request_error" },
  accessdeniedexception: { status: 403, type: "permission_error" },
  expiredtokenexception: { status: 403, type: "authentication_error" },
  unrecognizedclientexception: { status: 403, type: "authentication_error" },
  invalidsignatureexception: { status: 403, type: "authentication_error" },
  resourcenotfoundexception: { status: 404, type: "not_found_error" },
  modeltimeoutexception: { status: 408, type: "timeout_error" },
  modelerrorexception: { status: 424, type: "api_error" },
  modelstreamerrorexception: { status: 424, type: "api_error" },
  modelnotreadyexception: { status: 429, type: "overloaded_error" },
  throttlingexception: { status: 429, type: "rate_limit_error" },
  internalserverexception: { status: 500, type: "api_error" },
  serviceunavailableexception: { status: 503, type: "overloaded_error" },
};
const UNKNOWN = { status: 500, type: "api_error" } as const;

/** An exception that came inside a stream, where no status could go with it any more. */
export function exceptionInStream(name: string, payload: Uint8Array): BedrockError {
  const known = EXCEPTIONS[bareName(name)] ?? UNKNOWN;
  return { ...known, message: messageIn(payload) ?? name };
}

/** The body of a refusal. `exception`: its header `x-amzn-errortype`, or empty. */
export function refusalBody(status: number, exception: string, body: Uint8Array): Uint8Array {
  // Proxies and newer surfaces of Bedrock speak the messages format themselves.
  if (objectIn(objectIn(parseLooseJson(body))?.["error"]) !== null) return body;
  const message = messageIn(body) ?? `Amazon Bedrock answered ${status}`;
  const type = EXCEPTIONS[bareName(exception)]?.type;
  return errorBody("messages", { status, message, ...(type === undefined ? {} : { type }) });
}

export function errorEvent({ type, message }: BedrockError): Uint8Array {
  const data = JSON.stringify({ type: "error", error: { type, message } });
  return new TextEncoder().encode(`event: error\ndata: ${data}\n\n`);
}

/** Whether new credentials may be all that is missing. */
export function saysExpired(exception: string): boolean {
  return bareName(exception) === "expiredtokenexception";
}

/** The name that a refusal's headers (raw pairs) give. Empty: none. */
export function exceptionOf(rawHeaders: readonly string[]): string {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === "x-amzn-errortype") return rawHeaders[i + 1] ?? "";
  }
  return "";
}

/** `com.amazon#ThrottlingException:http://…` → `throttlingexception`. */
function bareName(name: string): string {
  return (name.split(":", 1)[0] ?? "").replace(/^.*#/, "").trim().toLowerCase();
}

function messageIn(body: Uint8Array): string | null {
  const object = objectIn(parseLooseJson(body));
  const message = textIn(object?.["message"]) ?? textIn(object?.["Message"]);
  return message === "" ? null : message;
}
