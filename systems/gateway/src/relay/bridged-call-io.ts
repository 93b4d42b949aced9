/**
 * One bridged request from socket to socket: read it, record its start, send the client's own bytes
 * upstream with the right credential, relay the answer, record its end.
 *
 * What is known at once goes on at once: only the record of the start, what really is still on its
 * way, and what holds a call back, is waited for.
 */
import type { InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { findClientSessionId } from "@atelier/model-wire/client-detection";
import type { ModelRequest } from "@atelier/model-wire/read-request";
import { FAILURE, type GatewayFailure } from "../failures/gateway-failure.ts";
import { refuse } from "./answer-io.ts";
import { BridgedExchange, type BridgedCall } from "./bridged-exchange-io.ts";
import { chooseCredential, type ChosenCredential } from "./choose-credential.ts";
import type { OnOver, RelayDeps } from "./gateway-call.ts";
import { logInterceptionStarted } from "./interception-log.ts";
import { readBridgedBody, type BridgedBody, type ReadBody } from "./model-request-io.ts";

/** Recorded where a request names no model. */
const MODEL_UNKNOWN = "unknown";

export function serveBridged(deps: RelayDeps, call: BridgedCall, onOver: OnOver): void {
  const { req, route } = call;
  const chosen = chooseCredential(call, { isPassthrough: false });
  const serving = new BridgedServing(deps, call, onOver);
  if (req.method !== "POST") return serving.refuse(FAILURE.methodNotAllowed);
  if (chosen === null) return serving.refuse(FAILURE.noCredential);
  const read = readBridgedBody(req, route.format, deps.bodySilenceMsMax);
  if (read instanceof Promise) read.then((body) => serving.onRead(body, chosen)).catch(onOver);
  else serving.onRead(read, chosen);
}

class BridgedServing {
  readonly #deps: RelayDeps;
  readonly #call: BridgedCall;
  readonly #onOver: OnOver;

  constructor(deps: RelayDeps, call: BridgedCall, onOver: OnOver) {
    this.#deps = deps;
    this.#call = call;
    this.#onOver = onOver;
  }

  refuse(failure: GatewayFailure): void {
    const { res, route } = this.#call;
    refuse(res, route.format, failure, this.#deps.metrics);
    this.#onOver(null);
  }

  onRead(read: ReadBody, chosen: ChosenCredential): void {
    const call = this.#call;
    if (!read.ok) {
      if (read.failure !== "client_gone") return this.refuse(read.failure);
      call.res.destroy();
      return this.#onOver(null);
    }
    const { request } = read.value;
    call.timing.mark("body");
    const start = toStart(this.#deps, call, chosen, request);
    call.observer?.understood(start, request);
    this.#deps.recorder
      .start(start)
      .then(
        () => this.#onRecorded(start, chosen, read.value),
        (error: unknown) => this.#onUnrecorded(start, error),
      )
      .catch(this.#onOver);
  }

  #onUnrecorded({ id: interceptionId }: InterceptionStart, error: unknown): void {
    this.#call.observer?.recorded(false);
    this.#deps.log.error({ error, interceptionId }, "recording an interception failed");
    this.refuse(FAILURE.notRecorded);
  }

  #onRecorded(start: InterceptionStart, chosen: ChosenCredential, read: BridgedBody): void {
    const deps = this.#deps;
    const call = this.#call;
    const { request } = read;
    call.timing.mark("record");
    call.observer?.recorded(true);
    if (deps.log.isDebug !== false) {
      const { label: route } = call.route;
      logInterceptionStarted(deps.log, { start, chosen, route, streaming: request.stream });
    }
    const { hold = null } = call.req;
    if (hold === null) return this.#begin(start, chosen, read);
    const begin = (): void => {
      this.#begin(start, chosen, read);
      hold.left();
    };
    const drop = (): void => {
      call.res.destroy();
      this.#begin(start, chosen, read); // As of a client that left meanwhile: its end is recorded.
    };
    hold.until.then(begin, drop).catch(this.#onOver);
  }

  #begin(start: InterceptionStart, chosen: ChosenCredential, read: BridgedBody): void {
    const call = this.#call;
    const { request } = read;
    const body = call.upstream.translation === null ? read.body : read.decoded;
    const recorded = { start, chosen, request, body };
    new BridgedExchange(this.#deps, call, recorded, this.#onOver).begin();
  }
}

function toStart(
  { clock, random }: RelayDeps,
  { caller, provider, facts, upstream }: BridgedCall,
  chosen: ChosenCredential,
  request: ModelRequest,
): InterceptionStart {
  const header = (name: string): string | undefined => facts.header(name.toLowerCase());
  const { client } = facts;
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
