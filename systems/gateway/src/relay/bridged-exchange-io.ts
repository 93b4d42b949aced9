/**
 * A bridged request whose start is recorded: through the circuit breaker, with the caller's own
 * credential or the company's keys, to the provider and back, and its end into the record.
 */
import type { InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import type { BytePieces } from "@atelier/model-wire/byte-pieces";
import type { ModelRequest } from "@atelier/model-wire/read-request";
import type { BreakerOutcome, BreakerVerdict, CircuitBreaker } from "../breaker/circuit-breaker.ts";
import { FAILURE, breakerOpen } from "../failures/gateway-failure.ts";
import {
  actorHeaders,
  toUpstreamHeaders,
  type UpstreamCredential,
} from "../headers/upstream-headers.ts";
import type { UpstreamCall } from "../upstream/upstream-client.ts";
import { toUpstreamTarget } from "../upstream/upstream-target.ts";
import { AnswerRelay } from "./answer-relay-io.ts";
import { AttemptLog } from "./attempt-log.ts";
import { breakerOutcome } from "./breaker-outcome.ts";
import type { ChosenCredential } from "./choose-credential.ts";
import type { CallOf, RelayDeps } from "./gateway-call.ts";
import { toInterceptionEnd } from "./interception-end.ts";
import { logInterceptionEnded } from "./interception-log.ts";
import type { InterceptionSeries } from "./interception-metrics.ts";
import { sendWith } from "./key-failover-io.ts";
import type { Observation } from "./observation-io.ts";
import type { RelayOutcome } from "./relay-outcome.ts";

export type BridgedCall = CallOf<"bridged">;

export type Recorded = {
  readonly start: InterceptionStart;
  readonly chosen: ChosenCredential;
  readonly request: ModelRequest;
  readonly body: BytePieces;
};

/** Resolves when the exchange is over for the client. */
export async function relayRecorded(
  deps: RelayDeps,
  call: BridgedCall,
  recorded: Recorded,
): Promise<void> {
  const { route, state } = call;
  const { model } = recorded.start;
  const series = deps.interceptions.seriesOf(recorded.start, route.label);
  const breaker = state.breakers?.breakerOf(route.label, model) ?? null;
  const verdict = breaker?.admit() ?? null;
  const attempts = new AttemptLog(deps.clock);
  series.began();
  const ended = await relayAnswer(deps, call, { recorded, verdict, series, attempts });
  series.relayed();
  let ticket = verdict?.kind === "admitted" ? verdict.ticket : null;
  const report = (outcome: BreakerOutcome): void => {
    if (breaker === null || ticket === null) return;
    const change = breaker.report(ticket, outcome);
    ticket = null;
    if (change === null) return;
    attempts.breakerChanged(change);
    tellBreakerChange(deps, call, { change, model, breaker, series, outcome: ended.outcome });
  };
  // The client has its answer already. A server that stops waits until the end is handed over.
  await recordEnd(deps, call, recorded, { ...ended, series, attempts, report }).catch(
    (error: unknown) => {
      deps.log.error({ error, interceptionId: recorded.start.id }, "observing an answer failed");
      report("neutral");
    },
  );
}

type BreakerNews = {
  readonly change: "opened" | "closed";
  readonly breaker: CircuitBreaker;
  readonly model: string;
  readonly series: InterceptionSeries;
  readonly outcome: RelayOutcome;
};

function tellBreakerChange(
  { metrics, news }: RelayDeps,
  { route, provider }: BridgedCall,
  { change, breaker, model, series, outcome }: BreakerNews,
): void {
  const about = { endpoint: route.label, model };
  if (change === "closed") return news.breakerClosed(provider, about);
  metrics.breakerTrips.inc(series.breakerLabels);
  // Silence may be this server's own network: the others find out by themselves.
  const isSaid = outcome.ending.kind !== "timeout";
  if (isSaid) news.breakerOpened(provider, { ...about, forMs: breaker.openForMs });
}

type Ended = {
  readonly outcome: RelayOutcome;
  readonly observation: Observation | null;
  /** Masked: of the key that served or was tried last. */
  readonly hint: string;
};

type Relayed = {
  readonly recorded: Recorded;
  readonly verdict: BreakerVerdict | null;
  readonly series: InterceptionSeries;
  readonly attempts: AttemptLog;
};

/** Resolves when the exchange is over for the client. */
function relayAnswer(
  deps: RelayDeps,
  call: BridgedCall,
  { recorded, verdict, series, attempts }: Relayed,
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
      timing: call.timing,
      log: deps.log,
      onDone: (outcome, observation) => {
        forgetClosing();
        attempts.over(outcome);
        if (failover !== null && failover.attempts > 0) {
          deps.metrics.failoverAttempts.observe({ provider: provider.name }, failover.attempts);
        }
        const hint = failover?.hint ?? chosen.hint;
        resolve({ outcome, observation, hint });
      },
    });
    const forgetClosing = deps.onClosing(() => relay.close());
    if (res.destroyed) {
      // The client left while the start was recorded: the provider need not hear of it.
      relay.abandon();
    } else if (recorded.request.background) {
      attempts.refused({ kind: "background", retryInMs: null, passedOver: [] });
      relay.refuse(FAILURE.background, "bad_request");
    } else if (verdict?.kind === "rejected") {
      deps.metrics.breakerRejects.inc(series.breakerLabels);
      const retryInMs = Math.round(verdict.retryInMs);
      attempts.refused({ kind: "breaker_open", retryInMs, passedOver: [] });
      const refusal = breakerOpen(verdict.retryInMs, call.providerKind.breakerOpen);
      relay.refuse(refusal, "server_error");
    } else {
      failover = sendWith(deps, call, chosen, {
        relay,
        format: route.format,
        isStream: recorded.request.stream,
        isRepeatable: true,
        takesSlot: true,
        // The other format has none that is signed.
        carriesReasoning: route.format !== "chat_completions",
        attempts,
        toUpstreamCall: (credential) => toUpstreamCall(deps, call, recorded, credential),
      });
    }
  });
}

function toUpstreamCall(
  deps: RelayDeps,
  call: BridgedCall,
  { body }: Recorded,
  credential: UpstreamCredential | null,
): UpstreamCall {
  const headers = toUpstreamHeaders(call.req.rawHeaders, credential);
  if (deps.sendActorHeaders && call.providerKind.isToldActor)
    headers.push(...actorHeaders(call.caller));
  return {
    method: "POST",
    path: toUpstreamTarget(call.upstream, call.route.upstreamPath, call.path.query),
    headers,
    body,
    // A model call changes nothing at the provider.
    isRepeatable: true,
  };
}

type Recording = Ended & {
  readonly series: InterceptionSeries;
  readonly attempts: AttemptLog;
  /** What the call says of the provider, for its circuit breaker. Once counts. */
  readonly report: (outcome: BreakerOutcome) => void;
};

async function recordEnd(
  deps: RelayDeps,
  call: BridgedCall,
  { start, chosen, request }: Recorded,
  { outcome, observation, hint, series, attempts, report }: Recording,
): Promise<void> {
  const endedAt = deps.clock.now();
  const observed = observation === null ? null : await observation.finish();
  const known = toInterceptionEnd(
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
  report(breakerOutcome(outcome, known, chosen.kind));
  const end = { ...known, trail: attempts.trail(known.error) };
  deps.recorder.end(end);
  series.ended(end, start);
  call.observer?.ended(end, observed);
  const { label: route } = call.route;
  logInterceptionEnded(deps.log, { start, chosen, route, streaming: request.stream }, end);
}
