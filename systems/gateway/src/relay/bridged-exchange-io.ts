/**
 * A bridged request whose start is recorded: through the circuit breaker, with the caller's own
 * credential or the company's keys, to the provider and back, and its end into the record.
 */
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import type { ModelRequest } from "@atelier/model-wire/read-request";
import type { BreakerOutcome, BreakerVerdict } from "../breaker/circuit-breaker.ts";
import { FAILURE, breakerOpen } from "../failures/gateway-failure.ts";
import {
  actorHeaders,
  toUpstreamHeaders,
  type UpstreamCredential,
} from "../headers/upstream-headers.ts";
import type { UpstreamCall } from "../upstream/upstream-client.ts";
import { toUpstreamTarget } from "../upstream/upstream-target.ts";
import { AnswerRelay } from "./answer-relay-io.ts";
import { breakerOutcome } from "./breaker-outcome.ts";
import type { ChosenCredential } from "./choose-credential.ts";
import type { CallOf, RelayDeps } from "./gateway-call.ts";
import { toInterceptionEnd } from "./interception-end.ts";
import { sendWith } from "./key-failover-io.ts";
import type { Observation } from "./observation-io.ts";
import type { RelayOutcome } from "./relay-outcome.ts";

export type BridgedCall = CallOf<"bridged">;

export type Recorded = {
  readonly start: InterceptionStart;
  readonly chosen: ChosenCredential;
  readonly request: ModelRequest;
  readonly body: Uint8Array;
};

/** Resolves when the exchange is over for the client. */
export async function relayRecorded(
  deps: RelayDeps,
  call: BridgedCall,
  recorded: Recorded,
): Promise<void> {
  const { provider, route, state } = call;
  const labels = { provider: provider.name, route: route.label };
  const breaker = state.breakers?.breakerOf(route.label, recorded.start.model) ?? null;
  const verdict = breaker?.admit() ?? null;
  deps.metrics.underWay.inc(labels);
  const ended = await relayAnswer(deps, call, { recorded, verdict });
  deps.metrics.underWay.dec(labels);
  // The client has its answer already. A server that stops waits until the end is handed over.
  const outcome = await recordEnd(deps, call, recorded, ended).catch(
    (error: unknown): BreakerOutcome => {
      deps.log.error({ error, interceptionId: recorded.start.id }, "observing an answer failed");
      return "neutral";
    },
  );
  if (breaker === null || verdict?.kind !== "admitted") return;
  if (breaker.report(verdict.ticket, outcome)) {
    const endpoint = route.label;
    deps.metrics.breakerTrips.inc({ provider: provider.name, endpoint });
    const { model } = recorded.start;
    deps.log.info({ provider: provider.name, endpoint, model }, "circuit breaker opened");
  }
}

type Ended = {
  readonly outcome: RelayOutcome;
  readonly observation: Observation | null;
  /** Masked: of the key that served or was tried last. */
  readonly hint: string;
};

/** Resolves when the exchange is over for the client. */
function relayAnswer(
  deps: RelayDeps,
  call: BridgedCall,
  { recorded, verdict }: { readonly recorded: Recorded; readonly verdict: BreakerVerdict | null },
): Promise<Ended> {
  const { route, res, provider } = call;
  const { chosen } = recorded;
  return new Promise((resolve) => {
    let failover: ReturnType<typeof sendWith> = null;
    const relay = new AnswerRelay({
      res,
      observedAs: route.format,
      errorFormat: route.format,
      clock: deps.clock,
      log: deps.log,
      onDone: (outcome, observation) => {
        forgetClosing();
        if (failover !== null && failover.attempts > 0) {
          deps.metrics.failoverAttempts.observe({ provider: provider.name }, failover.attempts);
        }
        const hint = chosen.kind === "byok" ? chosen.hint : (failover?.hint ?? "");
        resolve({ outcome, observation, hint });
      },
    });
    const forgetClosing = deps.onClosing(() => relay.close());
    if (res.destroyed) {
      // The client left while the start was recorded: the provider need not hear of it.
      relay.abandon();
    } else if (recorded.request.background) {
      relay.refuse(FAILURE.background, "bad_request");
    } else if (verdict?.kind === "rejected") {
      deps.metrics.breakerRejects.inc({ provider: provider.name, endpoint: route.label });
      relay.refuse(breakerOpen(verdict.retryInMs), "server_error");
    } else {
      failover = sendWith(deps, call, chosen, {
        relay,
        format: route.format,
        toUpstreamCall: (credential) => toUpstreamCall(deps, call, recorded, credential),
      });
    }
  });
}

function toUpstreamCall(
  deps: RelayDeps,
  call: BridgedCall,
  { body }: Recorded,
  credential: UpstreamCredential,
): UpstreamCall {
  const headers = toUpstreamHeaders(call.req.rawHeaders, credential);
  if (deps.sendActorHeaders && call.providerKind.isToldActor)
    headers.push(...actorHeaders(call.caller));
  return {
    method: "POST",
    path: toUpstreamTarget(call.upstream, call.route.upstreamPath, call.path.query),
    headers,
    body,
  };
}

/** Resolves with what the call says of the provider, for its circuit breaker. */
async function recordEnd(
  deps: RelayDeps,
  call: BridgedCall,
  { start, chosen, request }: Recorded,
  { outcome, observation, hint }: Ended,
): Promise<BreakerOutcome> {
  const endedAt = deps.clock.now();
  const observed = observation === null ? null : await observation.finish();
  const end = toInterceptionEnd(
    {
      id: start.id,
      format: call.route.format,
      startedAt: start.startedAt,
      endedAt,
      credentialHint: hint,
      prompt: request.prompt,
    },
    outcome,
    observed,
  );
  deps.recorder.end(end);
  count(deps, call, start, end);
  return breakerOutcome(outcome, end, chosen.kind);
}

function count(
  { metrics, log }: RelayDeps,
  { provider, route }: BridgedCall,
  { id, client, startedAt }: InterceptionStart,
  end: InterceptionEnd,
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
