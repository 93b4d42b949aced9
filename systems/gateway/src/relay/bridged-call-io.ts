/**
 * One bridged request from socket to socket: read it, record its start, send the client's own bytes
 * upstream with the right credential, relay the answer, record its end.
 */
import type { InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { detectClient, findClientSessionId } from "@atelier/model-wire/client-detection";
import {
  readModelRequest,
  type ModelRequest,
  type RequestMistake,
} from "@atelier/model-wire/read-request";
import { fail, ok, type Result } from "@atelier/base/result";
import {
  BODY_BYTES_MAX,
  FAILURE,
  badBody,
  type GatewayFailure,
} from "../failures/gateway-failure.ts";
import { actorHeaders, toUpstreamHeaders } from "../headers/upstream-headers.ts";
import { AnswerRelay } from "./answer-relay-io.ts";
import { refuse } from "./answer-io.ts";
import { chooseCredential, type ChosenCredential } from "./choose-credential.ts";
import type { CallOf, RelayDeps } from "./gateway-call.ts";
import { toInterceptionEnd } from "./interception-end.ts";
import type { Observation } from "./observation-io.ts";
import type { RelayOutcome } from "./relay-outcome.ts";
import { readBody, type BodyMistake } from "./request-body-io.ts";
import { decodeBody } from "./request-decoding-io.ts";

type BridgedCall = CallOf<"bridged">;

/** Recorded where a request names no model. */
const MODEL_UNKNOWN = "unknown";

/** Resolves when the exchange is over for the client. */
export async function serveBridged(deps: RelayDeps, call: BridgedCall): Promise<void> {
  const { req, res, route } = call;
  const { format } = route;
  if (req.method !== "POST") {
    refuse(res, format, FAILURE.methodNotAllowed, deps.metrics);
    return;
  }
  const chosen = chooseCredential(call);
  if (chosen === null) {
    refuse(res, format, FAILURE.noCredential, deps.metrics);
    return;
  }
  const limits = { bytesMax: BODY_BYTES_MAX, silenceMsMax: deps.bodySilenceMsMax };
  const body = await readBody(req, limits);
  if (!body.ok) {
    refuseBody(deps, call, body.failure);
    return;
  }
  const request = await readRequest(call, body.value);
  if (!request.ok) {
    refuse(res, format, request.failure, deps.metrics);
    return;
  }
  const start = toStart(deps, call, chosen, request.value);
  try {
    await deps.recorder.start(start);
  } catch (error) {
    deps.log.error({ error, interceptionId: start.id }, "recording an interception failed");
    refuse(res, format, FAILURE.notRecorded, deps.metrics);
    return;
  }
  await relayRecorded(deps, call, { start, chosen, request: request.value, body: body.value });
}

type Recorded = {
  readonly start: InterceptionStart;
  readonly chosen: ChosenCredential;
  readonly request: ModelRequest;
  readonly body: Uint8Array;
};

function relayRecorded(deps: RelayDeps, call: BridgedCall, recorded: Recorded): Promise<void> {
  const { provider, route, res } = call;
  const labels = { provider: provider.name, route: route.label };
  deps.metrics.underWay.inc(labels);
  return new Promise((resolve) => {
    const relay = new AnswerRelay({
      res,
      observedAs: route.format,
      errorFormat: route.format,
      clock: deps.clock,
      log: deps.log,
      onDone: (outcome, observation) => {
        forgetClosing();
        deps.metrics.underWay.dec(labels);
        recordEnd(deps, call, recorded, { outcome, observation }).catch((error: unknown) => {
          deps.log.error(
            { error, interceptionId: recorded.start.id },
            "observing an answer failed",
          );
        });
        resolve();
      },
    });
    const forgetClosing = deps.onClosing(() => relay.close());
    if (res.destroyed) {
      // The client left while the start was recorded: the provider need not hear of it.
      relay.abandon();
    } else if (recorded.request.background) {
      relay.refuse(FAILURE.background);
    } else {
      relay.attach(call.upstream.client.send(toUpstreamCall(deps, call, recorded), relay));
    }
  });
}

function toUpstreamCall(deps: RelayDeps, call: BridgedCall, { chosen, body }: Recorded) {
  const headers = toUpstreamHeaders(call.req.rawHeaders, chosen.credential);
  if (deps.sendActorHeaders) headers.push(...actorHeaders(call.caller));
  return {
    method: "POST",
    path: `${call.upstream.basePath}${call.route.upstreamPath}${call.path.query}`,
    headers,
    body,
  };
}

async function recordEnd(
  deps: RelayDeps,
  call: BridgedCall,
  { start, chosen, request }: Recorded,
  { outcome, observation }: { outcome: RelayOutcome; observation: Observation | null },
): Promise<void> {
  const endedAt = deps.clock.now();
  const observed = observation === null ? null : await observation.finish();
  const end = toInterceptionEnd(
    {
      id: start.id,
      format: call.route.format,
      startedAt: start.startedAt,
      endedAt,
      credentialHint: chosen.hint,
      prompt: request.prompt,
    },
    outcome,
    observed,
  );
  deps.recorder.end(end);
  count(deps, call, start, end);
}

function count(
  { metrics, log }: RelayDeps,
  { provider, route }: BridgedCall,
  { id, client, startedAt }: InterceptionStart,
  end: ReturnType<typeof toInterceptionEnd>,
): void {
  const status = end.error === null ? "completed" : "failed";
  metrics.interceptions.inc({ provider: provider.name, route: route.label, status, client });
  const durationMs = end.endedAt.getTime() - startedAt.getTime();
  metrics.durationSeconds.observe({ provider: provider.name }, Math.max(0, durationMs) / 1_000);
  for (const { input, output, cacheReadInput, cacheWriteInput } of end.tokens) {
    const inc = (type: string, tokens: number): void => {
      if (tokens > 0) metrics.tokens.inc({ provider: provider.name, type }, tokens);
    };
    inc("input", input);
    inc("output", output);
    inc("cache_read_input", cacheReadInput);
    inc("cache_write_input", cacheWriteInput);
  }
  if (end.error === null) log.debug({ interceptionId: id, durationMs }, "interception ended");
  else log.warn({ interceptionId: id, durationMs, error: end.error }, "interception failed");
}

function toStart(
  { clock, random }: RelayDeps,
  { caller, provider, req }: BridgedCall,
  chosen: ChosenCredential,
  request: ModelRequest,
): InterceptionStart {
  const header = (name: string): string | undefined => {
    const value = req.headers[name.toLowerCase()];
    return Array.isArray(value) ? value[0] : value;
  };
  const client = detectClient(header);
  return {
    id: random.uuid(),
    caller,
    provider: { type: provider.type, name: provider.name },
    model: request.model ?? MODEL_UNKNOWN,
    client,
    clientSessionId: findClientSessionId(client, header, request.metadataUserId),
    userAgent: header("user-agent") ?? "",
    correlatingToolCallId: request.correlatingToolCallId,
    credentialKind: chosen.kind,
    credentialHint: chosen.hint,
    startedAt: clock.now(),
  };
}

async function readRequest(
  { req, route }: BridgedCall,
  body: Uint8Array,
): Promise<Result<ModelRequest, GatewayFailure>> {
  const encoding = req.headers["content-encoding"];
  const decoded =
    encoding === undefined ? ok(body) : await decodeBody(body, encoding, BODY_BYTES_MAX);
  if (!decoded.ok) {
    switch (decoded.failure) {
      case "unknown_encoding":
        return fail(FAILURE.bodyEncoding);
      case "too_large":
        return fail(FAILURE.bodyTooLarge);
      case "malformed":
        return fail(badBody("the request body does not match its content encoding"));
    }
  }
  const request = readModelRequest(route.format, decoded.value);
  return request.ok ? request : fail(badBody(describeMistake(request.failure)));
}

function describeMistake({ kind, offset }: RequestMistake): string {
  switch (kind) {
    case "empty":
      return "the request body is empty";
    case "not_an_object":
      return "the request body is not a JSON object";
    case "malformed":
      return `the request body is not valid JSON (at byte ${offset})`;
  }
}

function refuseBody(deps: RelayDeps, { res, route }: BridgedCall, mistake: BodyMistake): void {
  switch (mistake) {
    case "too_large":
      refuse(res, route.format, FAILURE.bodyTooLarge, deps.metrics);
      return;
    case "too_slow":
      refuse(res, route.format, FAILURE.bodyTimeout, deps.metrics);
      return;
    case "client_gone":
      res.destroy();
  }
}
