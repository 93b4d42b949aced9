/**
 * One answer on its way from a provider to a client: bytes as they come, with back-pressure, and an
 * ending in every case. A stream that breaks off ends with its format's own error event; any other
 * body that breaks off takes the client's connection with it, so that nobody mistakes it for whole.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { InterceptionErrorType } from "@atelier/contract/rpc/gateway-ports";
import { closeLastEvent, cutStreamEnding } from "@atelier/model-wire/cut-stream";
import type { StreamObserver } from "@atelier/model-wire/observe-response";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { FAILURE, toAnswer, type GatewayFailure } from "../failures/gateway-failure.ts";
import { toAnswerHead, toAnswerLines, type AnswerKind } from "../headers/answer-headers.ts";
import type { CallTiming } from "../timing/call-timing.ts";
import type { HeadFields } from "../upstream/head-fields.ts";
import type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamListener,
} from "../upstream/upstream-client.ts";
import type { GatewayResponse } from "./client-exchange.ts";
import { observeAnswer, type Observation } from "./observation-io.ts";
import type { RelayEnding, RelayOutcome } from "./relay-outcome.ts";

export type AnswerRelayOptions = {
  readonly res: GatewayResponse;
  /** Null: the answer is relayed unobserved. */
  readonly observedAs: WireFormat | null;
  /** The shape of our own errors. */
  readonly errorFormat: WireFormat | null;
  readonly clock: Clock;
  readonly timing: CallTiming;
  readonly log: Logger;
  /** Called once, when the exchange is over for the client. */
  onDone(outcome: RelayOutcome, observation: Observation | null): void;
};

/** Where the time went (docs/observability.md). A provider's own stands beside it. */
const SERVER_TIMING = "Server-Timing";

/** A client that takes longer than this for one write is worth a log line (spec gateway 4.1.3). */
const SLOW_CLIENT_MS = 500;

export class AnswerRelay implements UpstreamListener {
  readonly #options: AnswerRelayOptions;
  #exchange: UpstreamExchange | null = null;
  #head: AnswerKind | null = null;
  #status: number | null = null;
  #observation: Observation | null = null;
  #isDone = false;
  /** Made only where something waits for it. */
  #overController: AbortController | null = null;

  constructor(options: AnswerRelayOptions) {
    this.#options = options;
    options.res.on("close", () => this.#onClientClosed());
    options.res.on("error", () => {}); // `close` follows.
  }

  /** Call right after sending: the exchange is what `cancel` and back-pressure act on. */
  attach(exchange: UpstreamExchange): void {
    this.#exchange = exchange;
    // The client may have left, or the server begun to stop, while the exchange was made.
    if (this.#isDone) exchange.cancel();
  }

  /** Aborted when the call is over for the client. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether the format's last event went by: what is left of the stream is its connection. */
  get hasLastEvent(): boolean {
    return this.#observation?.stream?.terminated === true;
  }

  /** Ends the call with an answer of ours in the provider's place. */
  refuse(failure: GatewayFailure, errorType: InterceptionErrorType): void {
    if (this.#isDone) return;
    this.#breakOff({ kind: "refused", errorType, cause: failure.message }, failure);
  }

  /** The client left before an exchange was made. */
  abandon(): void {
    if (!this.#isDone) this.#finish({ kind: "client_gone" });
  }

  /** This server stops: the client gets a proper ending. */
  close(): void {
    if (this.#isDone) return;
    this.#exchange?.cancel();
    this.#breakOff({ kind: "closing" }, FAILURE.shuttingDown);
  }

  head(status: number, rawHeaders: readonly string[], fields?: HeadFields): void {
    if (this.#isDone) return;
    const { res, observedAs } = this.#options;
    this.#status = status;
    this.#head =
      fields !== undefined && res.writeLines !== undefined
        ? this.#writeLines(status, fields)
        : this.#writeHead(status, rawHeaders);
    if (observedAs !== null) this.#observation = observeAnswer(observedAs, this.#head);
    // Streams may stay silent for long; the client learns at once that they began.
    if (this.#head.isEventStream) res.flushHeaders();
  }

  #writeLines(status: number, fields: HeadFields): AnswerKind {
    const { res, timing } = this.#options;
    const head = toAnswerLines(fields);
    const { contentLength, hasDate } = head;
    const lines = `${head.lines}${SERVER_TIMING}: ${timing.header()}\r\n`;
    res.writeLines?.(status, { lines, contentLength, hasDate });
    return head;
  }

  #writeHead(status: number, rawHeaders: readonly string[]): AnswerKind {
    const { res, timing } = this.#options;
    const head = toAnswerHead(rawHeaders);
    head.headers.push(SERVER_TIMING, timing.header());
    res.writeHead(status, head.headers);
    return head;
  }

  data(chunk: Uint8Array): boolean {
    if (this.#isDone) return true;
    const { res } = this.#options;
    const isKeepingUp = res.write(chunk);
    this.#observation?.push(chunk);
    if (isKeepingUp) return true;
    this.#resumeWhenDrained(chunk.byteLength);
    return false;
  }

  end(): void {
    if (this.#isDone) return;
    const stream = this.#endingStream();
    // The last event may lack the empty line after it: only the end shows that it is whole.
    if (stream?.end().outcome === "incomplete_stream") {
      const cause = "the stream ended without its last event";
      this.#breakOff({ kind: "cut", cause }, FAILURE.upstreamUnreachable);
    } else {
      this.#complete(stream);
    }
  }

  failed(failure: UpstreamFailure): void {
    if (this.#isDone) return;
    const { log } = this.#options;
    const stream = this.#endingStream();
    // The format's last event was sent: how the connection ended after it is nobody's concern.
    if (stream?.terminated === true) return this.#complete(stream);
    const answer =
      failure.kind === "timeout" ? FAILURE.upstreamTimeout : FAILURE.upstreamUnreachable;
    const { kind, cause, detail } = failure;
    log.warn({ kind, cause, detail }, "exchange with a model provider failed");
    this.#breakOff({ kind, cause }, answer);
  }

  /** The stream whose last event must have come. Null for other answers, whose end HTTP tells. */
  #endingStream(): StreamObserver | null {
    const isRefusal = this.#status !== null && this.#status >= 400;
    return isRefusal ? null : (this.#observation?.stream ?? null);
  }

  #complete(stream: StreamObserver | null): void {
    const { res, observedAs } = this.#options;
    // Some clients wait for line ends that some providers leave out.
    if (stream !== null && observedAs !== null) res.end(closeLastEvent(observedAs, stream));
    else res.end();
    this.#finish({ kind: "complete" });
  }

  #breakOff(ending: RelayEnding, failure: GatewayFailure): void {
    const { res, errorFormat, observedAs, timing } = this.#options;
    const stream = this.#observation?.stream ?? null;
    if (!res.headersSent) {
      const answer = toAnswer(errorFormat, failure);
      res.writeHead(answer.status, { ...answer.headers, [SERVER_TIMING]: timing.header() });
      res.end(answer.body);
    } else if (stream !== null && observedAs !== null) {
      const message =
        ending.kind === "closing"
          ? "the gateway is shutting down"
          : "the connection to the model provider was lost before the answer was complete";
      res.end(cutStreamEnding(observedAs, stream, { message }));
    } else {
      res.destroy();
    }
    this.#finish(ending);
  }

  #onClientClosed(): void {
    if (this.#isDone) return;
    this.#exchange?.cancel();
    // A client may hang up as soon as it has the last event.
    this.#finish(this.hasLastEvent ? { kind: "complete" } : { kind: "client_gone" });
  }

  get #over(): AbortController {
    this.#overController ??= new AbortController();
    if (this.#isDone) this.#overController.abort();
    return this.#overController;
  }

  #finish(ending: RelayEnding): void {
    this.#isDone = true;
    this.#overController?.abort();
    const outcome = {
      ending,
      status: this.#status,
      contentType: this.#head?.contentType ?? "",
    };
    this.#options.onDone(outcome, this.#observation);
  }

  #resumeWhenDrained(bytes: number): void {
    const { res, clock, log } = this.#options;
    const waitsSinceMs = clock.monotonicMs();
    res.once("drain", () => {
      const waitedMs = Math.round(clock.monotonicMs() - waitsSinceMs);
      if (waitedMs > SLOW_CLIENT_MS) log.warn({ waitedMs, bytes }, "slow client");
      this.#exchange?.resume();
    });
  }
}
