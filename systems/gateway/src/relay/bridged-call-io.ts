/**
 * One bridged request from socket to socket: read it, record its start, send the client's own bytes
 * upstream with the right credential, relay the answer, record its end.
 */
import type { InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { detectClient, findClientSessionId } from "@atelier/model-wire/client-detection";
import type { ModelRequest } from "@atelier/model-wire/read-request";
import { FAILURE } from "../failures/gateway-failure.ts";
import { refuse } from "./answer-io.ts";
import { relayRecorded, type BridgedCall } from "./bridged-exchange-io.ts";
import { chooseCredential, type ChosenCredential } from "./choose-credential.ts";
import type { RelayDeps } from "./gateway-call.ts";
import { logInterceptionStarted } from "./interception-log.ts";
import { readBridgedBody } from "./model-request-io.ts";

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
  const chosen = chooseCredential(call, { isPassthrough: false });
  if (chosen === null) {
    refuse(res, format, FAILURE.noCredential, deps.metrics);
    return;
  }
  const read = await readBridgedBody(req, format, deps.bodySilenceMsMax);
  if (!read.ok) {
    if (read.failure === "client_gone") res.destroy();
    else refuse(res, format, read.failure, deps.metrics);
    return;
  }
  const { request } = read.value;
  const { translation } = call.upstream;
  const body = translation === null ? read.value.body : read.value.decoded;
  call.timing.mark("body");
  const start = toStart(deps, call, chosen, request);
  call.observer?.understood(start, request);
  try {
    await deps.recorder.start(start);
  } catch (error) {
    call.observer?.recorded(false);
    deps.log.error({ error, interceptionId: start.id }, "recording an interception failed");
    refuse(res, format, FAILURE.notRecorded, deps.metrics);
    return;
  }
  call.timing.mark("record");
  call.observer?.recorded(true);
  logInterceptionStarted(deps.log, {
    start,
    chosen,
    route: route.label,
    streaming: request.stream,
  });
  await relayRecorded(deps, call, { start, chosen, request, body });
}

function toStart(
  { clock, random }: RelayDeps,
  { caller, provider, req, upstream }: BridgedCall,
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
    model: upstream.translation?.modelFor(request.model) ?? request.model ?? MODEL_UNKNOWN,
    client,
    clientSessionId: findClientSessionId(client, header, request.metadataUserId),
    userAgent: header("user-agent") ?? "",
    correlatingToolCallId: request.correlatingToolCallId,
    credentialKind: chosen.kind,
    credentialHint: chosen.hint,
    startedAt: clock.now(),
  };
}
