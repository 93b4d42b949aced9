/**
 * The network of the CLI: one request, signed with one token, to one server.
 *
 * The only file that calls the host's `fetch`. Redirects are not followed, because the token must
 * not travel to a server that the person did not name. Nothing is retried: a command that changes
 * something must not run twice, and the person can repeat it.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Clock } from "@atelier/base/clock";
import type { Secret } from "@atelier/base/secret";
import type { ApiResponse, Send, SendFailure } from "@atelier/contract/client";

export type SendTarget = {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: Secret | null;
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** For `--verbose`: one line per request, without secrets. */
  report(line: string): void;
};

/** An answer of ours is far smaller: a page of 1,000 interceptions with their prompts. */
const ANSWER_BYTES_MAX = 256 * 1_024 * 1_024;

export function httpSend(target: SendTarget, clock: Clock): Send {
  return async (request, { signal }) => {
    const startMs = clock.monotonicMs();
    const url = target.url + request.path;
    const deadline = AbortSignal.timeout(target.timeoutMs);
    const headers: Record<string, string> = {
      accept: "application/json",
      "user-agent": target.userAgent,
    };
    if (request.body !== null) headers["content-type"] = "application/json";
    if (target.token !== null) headers["authorization"] = `Bearer ${target.token.reveal()}`;
    const outcome = await exchange(url, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    const tookMs = Math.round(clock.monotonicMs() - startMs);
    const verdict = outcome.ok
      ? `${outcome.value.status} (request ${outcome.value.requestId ?? "unknown"})`
      : outcome.failure.code;
    target.report(`${request.method} ${url} ${verdict} in ${tookMs} ms`);
    return outcome;
  };
}

async function exchange(url: string, init: RequestInit): Promise<Result<ApiResponse, SendFailure>> {
  const { origin } = new URL(url);
  try {
    // eslint-disable-next-line no-restricted-globals -- this file is the CLI's HTTP client.
    const response = await fetch(url, init);
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      const there = URL.canParse(location, url) ? new URL(location, url).origin : "another address";
      const message = `The server at ${origin} sends us to ${there}. Use that URL if you trust it.`;
      return fail({ code: "client.redirected", message });
    }
    const body = await readBody(response);
    if (body === null) {
      return fail({ code: "client.answer_unreadable", message: "The answer is too large." });
    }
    return ok({
      status: response.status,
      body,
      requestId: response.headers.get("x-request-id"),
      retryAfterSeconds: parseRetryAfter(response.headers.get("retry-after")),
    });
  } catch (error) {
    return fail(sendFailureOf(error, origin));
  }
}

/** Null when there is more than we read. */
async function readBody(response: Response): Promise<string | null> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > ANSWER_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** RFC 9110 §10.2.3; the form with a date is not used by our servers. */
function parseRetryAfter(header: string | null): number | null {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : null;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up at present",
  ECONNRESET: "the connection was closed",
  EHOSTUNREACH: "there is no way to the host",
  ENETUNREACH: "there is no way to the network",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed; see NODE_EXTRA_CA_CERTS",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is self-signed; see NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted; see NODE_EXTRA_CA_CERTS",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS; try http://",
};

function sendFailureOf(error: unknown, origin: string): SendFailure {
  if (error instanceof Error && error.name === "TimeoutError") {
    const message = `The server at ${origin} did not answer in time; see --timeout.`;
    return { code: "client.timed_out", message };
  }
  if (error instanceof Error && error.name === "AbortError") {
    return { code: "client.cancelled", message: "Cancelled." };
  }
  const code = networkCodeOf(error);
  const reason = REASONS[code] ?? code;
  return { code: "client.unreachable", message: `Cannot reach ${origin}: ${reason}.` };
}

/** `fetch` wraps what happened, and wraps it twice when several addresses were tried. */
function networkCodeOf(error: unknown): string {
  let each: unknown = error;
  for (let depth = 0; depth < 4 && each instanceof Error; depth += 1) {
    if ("code" in each && typeof each.code === "string") return each.code;
    each = each instanceof AggregateError ? each.errors[0] : each.cause;
  }
  return error instanceof Error ? error.message : "unknown error";
}
