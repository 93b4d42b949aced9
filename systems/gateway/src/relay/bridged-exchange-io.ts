/**
 * A bridged request whose start is recorded: through the circuit breaker, with the caller's own
 * credential or the company's keys, to the provider and back, and its end into the record.
 */
import type { InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import type { BytePieces } from "@atelier/model-wire/byte-pieces";
import type { ObservedResponse } from "@atelier/model-wire/observe-response";
import type { ModelRequest } from "@atelier/model-wire/read-request";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type {
  BreakerOutcome,
  BreakerTicket,
  BreakerVerdict,
  CircuitBreaker,
} from "../breaker/circuit-breaker.ts";
import { FAILURE, breakerOpen } from "../failures/gateway-failure.ts";
import { actorHeaders, type UpstreamCredential } from "../headers/upstream-headers.ts";
import type { UpstreamCall } from "../upstream/upstream-client.ts";
import { toUpstreamTarget } from "../upstream/upstream-target.ts";
import { AnswerRelay } from "./answer-relay-io.ts";
import { AttemptLog } from "./attempt-log.ts";
import { breakerOutcome } from "./breaker-outcome.ts";
import type { ChosenCredential } from "./choose-credential.ts";
import type { CallOf, OnOver, RelayDeps } from "./gateway-call.ts";
import { toInterceptionEnd } from "./interception-end.ts";
import { logInterceptionEnded } from "./interception-log.ts";
import type { InterceptionSeries } from "./interception-metrics.ts";
import { sendWith, type SendOptions } from "./key-failover-io.ts";
import type { Observation } from "./observation-io.ts";
import type { RelayOutcome } from "./relay-outcome.ts";

export type BridgedCall = CallOf<"bridged">;

export type Recorded = {
  readonly start: InterceptionStart;
  readonly chosen: ChosenCredential;
  readonly request: ModelRequest;
  readonly body: BytePieces;
};

/** From the breaker to the record of the end. */
export class BridgedExchange implements SendOptions {
  readonly relay: AnswerRelay;
  readonly format: WireFormat;
  readonly isStream: boolean;
  readonly isRepeatable = true;
  readonly takesSlot = true;
  readonly carriesReasoning: boolean;
  readonly attempts: AttemptLog;
  readonly #deps: RelayDeps;
  readonly #call: BridgedCall;
  readonly #recorded: Recorded;
  readonly #onOver: OnOver;
  readonly #series: InterceptionSeries;
  readonly #breaker: CircuitBreaker | null;
  readonly #verdict: BreakerVerdict | null;
  readonly #forgetClosing: () => void;
  #failover: ReturnType<typeof sendWith> = null;
  /** With several attempts nobody counts. */
  #sends = 0;
  #isBodyDone = false;
  /** Until the breaker is told of the call: once counts. */
  #ticket: BreakerTicket | null;

  constructor(deps: RelayDeps, call: BridgedCall, recorded: Recorded, onOver: OnOver) {
    const { res, route, state, timing } = call;
    const { start, request } = recorded;
    this.#deps = deps;
    this.#call = call;
    this.#recorded = recorded;
    this.#onOver = onOver;
    this.format = route.format;
    this.isStream = request.stream;
    // The other format has none that is signed.
    this.carriesReasoning = route.format !== "chat_completions";
    this.#series = deps.interceptions.seriesOf(start, route.label);
    this.#breaker = state.breakers?.breakerOf(route.label, start.model) ?? null;
    this.#verdict = this.#breaker?.admit() ?? null;
    this.#ticket = this.#verdict?.kind === "admitted" ? this.#verdict.ticket : null;
    const { clock, log } = deps;
    this.attempts = new AttemptLog(clock);
    const relay = new AnswerRelay({
      ...{ res, clock, log, timing, observedAs: route.format, errorFormat: route.format },
      onDone: (outcome, observation) => this.#onDone(outcome, observation),
    });
    this.relay = relay;
    this.#forgetClosing = deps.onClosing(() => relay.close());
  }

  begin(): void {
    const deps = this.#deps;
    const call = this.#call;
    const { relay } = this;
    this.#series.began();
    if (call.res.destroyed) {
      // The client left while the start was recorded: the provider need not hear of it.
      relay.abandon();
    } else if (this.#recorded.request.background) {
      this.attempts.refused({ kind: "background", retryInMs: null, passedOver: [] });
      relay.refuse(FAILURE.background, "bad_request");
    } else if (this.#verdict?.kind === "rejected") {
      const { retryInMs } = this.#verdict;
      deps.metrics.breakerRejects.inc(this.#series.breakerLabels);
      const told = { retryInMs: Math.round(retryInMs), passedOver: [] };
      this.attempts.refused({ kind: "breaker_open", ...told });
      relay.refuse(breakerOpen(retryInMs, call.providerKind.breakerOpen), "server_error");
    } else {
      this.#failover = sendWith(deps, call, this.#recorded.chosen, this);
    }
  }

  toUpstreamCall(credential: UpstreamCredential | null, headMsMax: number): UpstreamCall {
    const { facts, caller, providerKind, upstream, route, path } = this.#call;
    const own = facts.upstreamHeaders(credential);
    const isToldActor = this.#deps.sendActorHeaders && providerKind.isToldActor;
    this.#sends += 1;
    return {
      method: "POST",
      path: toUpstreamTarget(upstream, route.upstreamPath, path.query),
      headers: isToldActor ? [...own, ...actorHeaders(caller)] : own,
      body: this.#recorded.body,
      headMsMax,
      onBodyDone: () => {
        this.#isBodyDone = true;
      },
      // A model call changes nothing at the provider.
      isRepeatable: true,
    };
  }

  /** The exchange is over for the client. A server that stops waits until the end is handed over. */
  #onDone(outcome: RelayOutcome, observation: Observation | null): void {
    const failover = this.#failover;
    this.#forgetClosing();
    this.attempts.over(outcome);
    this.#series.relayed(failover?.attempts ?? 0);
    const hint = failover?.hint ?? this.#recorded.chosen.hint;
    const endedAt = this.#deps.clock.now();
    try {
      const observed = observation === null ? null : observation.finish();
      if (observed instanceof Promise) {
        observed
          .then((seen) => this.#recordEnd({ outcome, observed: seen, hint, endedAt }))
          .catch((error: unknown) => this.#onUnobserved(outcome, error));
      } else {
        this.#recordEnd({ outcome, observed, hint, endedAt });
      }
    } catch (error) {
      this.#onUnobserved(outcome, error);
    }
  }

  #recordEnd(ended: Ended): void {
    const { recorder, log } = this.#deps;
    const { start, chosen, request } = this.#recorded;
    const { format, label: route } = this.#call.route;
    const { outcome, observed, hint, endedAt } = ended;
    const { id, startedAt } = start;
    const { prompt } = request;
    const facts = { id, format, startedAt, endedAt, credentialHint: hint, prompt };
    const known = toInterceptionEnd(facts, outcome, observed);
    this.#tellBreaker(outcome, breakerOutcome(outcome, known, chosen.kind));
    const end = { ...known, trail: this.attempts.trail(known.error) };
    recorder.end(end);
    this.#series.ended(end, start);
    this.#call.observer?.ended(end, observed);
    if (end.error !== null || log.isDebug !== false) {
      logInterceptionEnded(log, { start, chosen, route, streaming: request.stream }, end);
    }
    this.#releaseBody();
    this.#onOver(null);
  }

  /** Large bodies wait long for a collector that is driven by other memory, and bring it to mark everything. */
  #releaseBody(): void {
    const { req, observer } = this.#call;
    // Who observes may still write it to a file.
    if (this.#isBodyDone && this.#sends === 1 && observer === null) req.releaseBody?.();
  }

  #onUnobserved(outcome: RelayOutcome, error: unknown): void {
    const interceptionId = this.#recorded.start.id;
    this.#deps.log.error({ error, interceptionId }, "observing an answer failed");
    this.#tellBreaker(outcome, "neutral");
    this.#onOver(null);
  }

  #tellBreaker({ ending }: RelayOutcome, outcome: BreakerOutcome): void {
    const breaker = this.#breaker;
    const ticket = this.#ticket;
    if (breaker === null || ticket === null) return;
    this.#ticket = null;
    const change = breaker.report(ticket, outcome);
    if (change === null) return;
    this.attempts.breakerChanged(change);
    const { metrics, news } = this.#deps;
    const { provider, route } = this.#call;
    const about = { endpoint: route.label, model: this.#recorded.start.model };
    if (change === "opened") {
      metrics.breakerTrips.inc(this.#series.breakerLabels);
      // Silence may be this server's own network: the others find out by themselves.
      const isSaid = ending.kind !== "timeout";
      const { openForMs: forMs } = breaker;
      if (isSaid) news.breakerOpened(provider, { ...about, forMs });
    } else news.breakerClosed(provider, about);
  }
}

type Ended = {
  readonly outcome: RelayOutcome;
  readonly observed: ObservedResponse | null;
  /** Masked: of the key that served or was tried last. */
  readonly hint: string;
  readonly endedAt: Date;
};
