/**
 * One request on a route that only passes through: the credential is put in, and everything else
 * goes both ways as it is (spec gateway 2.6). Not recorded as an interception.
 */
import { BODY_BYTES_MAX, FAILURE } from "../failures/gateway-failure.ts";
import {
  forwardingHeaders,
  toUpstreamHeaders,
  type UpstreamCredential,
} from "../headers/upstream-headers.ts";
import { formatOfRoute, isRepeatable } from "../routing/route-table.ts";
import { toUpstreamTarget } from "../upstream/upstream-target.ts";
import { AnswerRelay } from "./answer-relay-io.ts";
import { refuse } from "./answer-io.ts";
import { chooseCredential } from "./choose-credential.ts";
import type { GatewayRequest } from "./client-exchange.ts";
import type { CallOf, RelayDeps } from "./gateway-call.ts";
import { sendWith, type SendOptions } from "./key-failover-io.ts";
import { bodyFailure } from "./model-request-io.ts";
import { readBody } from "./request-body-io.ts";

/** Resolves when the exchange is over for the client. */
export async function servePassthrough(
  deps: RelayDeps,
  call: CallOf<"passthrough">,
): Promise<void> {
  const { req, res, route, provider, path, upstream } = call;
  const method = req.method ?? "GET";
  const format = formatOfRoute(path.route) ?? call.providerKind.errorFormat;
  deps.metrics.passthrough.inc({ provider: provider.name, route: route.label, method });
  if (method === "TRACE") {
    refuse(res, format, FAILURE.traceRefused, deps.metrics);
    return;
  }
  const chosen = chooseCredential(call, { isPassthrough: true });
  if (chosen === null) {
    refuse(res, format, FAILURE.noCredential, deps.metrics);
    return;
  }
  const body = await readBody(req, {
    bytesMax: BODY_BYTES_MAX,
    silenceMsMax: deps.bodySilenceMsMax,
  });
  if (!body.ok) {
    const failure = bodyFailure(body.failure);
    if (failure === "client_gone") res.destroy();
    else refuse(res, format, failure, deps.metrics);
    return;
  }
  call.timing.mark("body");
  if (!(await mayLeave(req))) {
    res.destroy();
    return;
  }
  const toUpstreamCall: SendOptions["toUpstreamCall"] = (credential, headMsMax) => ({
    method,
    path: toUpstreamTarget(upstream, route.upstreamPath, path.query),
    headers: passedHeaders(req, credential),
    body: body.value.byteLength === 0 ? null : body.value,
    headMsMax,
  });
  await new Promise<void>((resolve) => {
    const relay = new AnswerRelay({
      res,
      observedAs: null,
      errorFormat: format,
      clock: deps.clock,
      timing: call.timing,
      log: deps.log,
      onDone: ({ ending }) => {
        forgetClosing();
        const isFine = ending.kind === "complete" || ending.kind === "client_gone";
        const facts = { provider: provider.name, route: route.label, ending };
        if (!isFine) deps.log.warn(facts, "passthrough failed");
        resolve();
      },
    });
    const forgetClosing = deps.onClosing(() => relay.close());
    sendWith(deps, call, chosen, {
      relay,
      format,
      isStream: false,
      isRepeatable: isRepeatable(method, route.label),
      // Lists and counts are quick, and would wait behind streams that take minutes.
      takesSlot: false,
      carriesReasoning: false,
      attempts: null,
      toUpstreamCall,
    });
    req.hold?.left();
  });
}

async function mayLeave({ hold }: Pick<GatewayRequest, "hold">): Promise<boolean> {
  try {
    await hold?.until;
    return true;
  } catch {
    return false; // Whoever held it back knows why.
  }
}

function passedHeaders(
  { rawHeaders, headers, socket }: GatewayRequest,
  credential: UpstreamCredential | null,
): readonly string[] {
  const isTls = "encrypted" in socket;
  return [
    ...toUpstreamHeaders(rawHeaders, credential),
    ...forwardingHeaders({ headers, peer: socket.remoteAddress, isTls }),
  ];
}
