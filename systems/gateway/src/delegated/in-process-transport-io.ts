/**
 * The gateway for the other parts of this process: the port of libs/contract/src/rpc/model-transport.ts.
 *
 * A call takes the same way as one from the network, with the same limits, records, keys and breakers,
 * but no socket, and nothing is parsed again. Who it is for comes as a parameter, so that no header
 * can claim it.
 */
import type { Logger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import { MODEL_PROVIDER_NAME_PATTERN } from "@atelier/contract/http/ai-providers";
import {
  DELEGATED_MARKER,
  GOVERNANCE_TOKEN_HEADER,
  ModelTransportError,
  type DelegatedInit,
  type ModelCallSource,
  type ModelTransports,
} from "@atelier/contract/rpc/model-transport";
import type { DelegatedExchange, GatewayServer } from "../relay/gateway-server-io.ts";
import { MemoryFetchResponse } from "./memory-fetch-response.ts";
import { MemoryRequest, type MemoryBody } from "./memory-request-io.ts";
import { MemoryResponse, type MemoryHead } from "./memory-response-io.ts";

export type InProcessDeps = {
  readonly server: Pick<GatewayServer, "handleDelegated">;
  readonly log: Logger;
};

/** As in paths from the network, so that both look alike to whoever reads them. */
const ROOT = "/api/v2/ai-gateway";
const CREDENTIAL_HEADERS = ["authorization", "x-api-key", "api-key"] as const;
/** Statuses that a Response must have no body for (fetch standard). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

export function inProcessTransports(deps: InProcessDeps): ModelTransports {
  return {
    transportFor: (providerName, source) =>
      MODEL_PROVIDER_NAME_PATTERN.test(providerName)
        ? ok({ fetch: (input, init) => send(deps, { providerName, source }, input, init) })
        : fail("provider_name_missing"),
  };
}

type Route = { readonly providerName: string; readonly source: ModelCallSource };

async function send(
  deps: InProcessDeps,
  { providerName, source }: Route,
  input: string | URL | Request,
  init: DelegatedInit = {},
): Promise<Response> {
  const { delegatedApiKeyId: apiKeyId = "", hold = null, ...standard } = init;
  hold?.until.catch(() => {}); // Whoever waits for it hears of it; a call that is refused does not.
  if (apiKeyId === "") {
    throw new ModelTransportError("a model call names the API key of whoever it is for");
  }
  const signal = standard.signal ?? (input instanceof Request ? input.signal : null);
  signal?.throwIfAborted();
  const call = plainCall(input, standard) ?? anyCall(input, standard);
  const mode = takeCredential(call.headers);
  const { pathname, search } = call.url;
  const url = `${ROOT}/${providerName}${pathname}${search}`;
  const { method, headers, body } = call;
  const req = new MemoryRequest({ method, url, headers, body, hold });
  const res = new MemoryResponse(req);
  followSignal(res, signal);
  try {
    deps.server.handleDelegated({ req, res, prefix: ROOT, apiKeyId, mode, source });
  } catch (error) {
    deps.log.error({ error, source }, "gateway request crashed");
    res.destroy();
    res.head.catch(() => {}); // Answered in its place.
    return Response.json({ error: { message: "something broke on our side" } }, { status: 500 });
  }
  return toResponse(await res.head, res, method);
}

type Call = {
  readonly method: string;
  readonly url: URL;
  /** The call's own copy. */
  readonly headers: Headers;
  readonly body: MemoryBody;
};

/** What SDKs send: a Request of it would be made, and its body read piece by piece, for nothing. */
function plainCall(
  input: string | URL | Request,
  { method, headers, body }: RequestInit,
): Call | null {
  if (input instanceof Request || method !== "POST" || typeof body !== "string") return null;
  const sent = new Headers(headers);
  if (!sent.has("content-type")) sent.set("content-type", "text/plain;charset=UTF-8");
  return { method, url: new URL(input), headers: sent, body: Buffer.from(body) };
}

function anyCall(input: string | URL | Request, init: RequestInit): Call {
  // The signal is followed by the caller; a Request would hold it only weakly.
  const request = new Request(input, { duplex: "half", ...init, signal: null });
  const { method, headers, body } = request;
  return { method, url: new URL(request.url), headers: new Headers(headers), body };
}

/** Whose credential the headers hold: an SDK's placeholder, which is taken out, or the person's own. */
function takeCredential(headers: Headers): DelegatedExchange["mode"] {
  const marker = headers.get(GOVERNANCE_TOKEN_HEADER)?.trim() ?? "";
  headers.delete(GOVERNANCE_TOKEN_HEADER);
  if (marker === DELEGATED_MARKER) return "byok";
  // It means something by it that we do not know; the company's keys must not pay for a guess.
  if (marker !== "") throw new ModelTransportError("a model call in this process carries no token");
  for (const name of CREDENTIAL_HEADERS) headers.delete(name);
  return "central";
}

function followSignal(res: MemoryResponse, signal: AbortSignal | null): void {
  if (signal === null) return;
  const onAbort = (): void => res.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  res.on("close", () => signal.removeEventListener("abort", onAbort));
}

function toResponse(
  { status, headers }: MemoryHead,
  res: MemoryResponse,
  method: string,
): Response {
  // A length would be the relay's word for bytes that the reader counts itself.
  headers.delete("content-length");
  // A provider may answer with a number that fetch does not know.
  const known = status >= 200 && status <= 599 ? status : 502;
  if (BODILESS.has(known) || method === "HEAD") {
    res.body.pipeTo(new WritableStream()).catch(() => {}); // Nothing is in it but its end.
    return new Response(null, { status: known, headers });
  }
  return new MemoryFetchResponse(decoded(res.body, headers), { status: known, headers });
}

/** As fetch does it: the reader gets the plain bytes, whatever a provider compressed unasked. */
function decoded(body: ReadableStream<Bytes>, headers: Headers): ReadableStream<Bytes> {
  const format = DECODERS[headers.get("content-encoding")?.trim().toLowerCase() ?? ""];
  if (format === undefined) return body;
  headers.delete("content-encoding");
  return body.pipeThrough(new DecompressionStream(format));
}

type Bytes = Uint8Array<ArrayBuffer>;

const DECODERS: Readonly<Record<string, "gzip" | "deflate" | "brotli">> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "brotli",
};
