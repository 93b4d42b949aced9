/**
 * Counts interceptions (spec gateway 10.3). What belongs to one provider, model, route and client is kept
 * together and counted in plain numbers, which go to the metrics when somebody reads them: counting a
 * request is a few additions, while a metric looks its labels up each time.
 */
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import type { ModelLabels } from "../labels/model-labels.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";

/** Far more than there are without users among the labels; with them, the least that is kept. */
const SERIES_MAX = 10_000;
/** Of each histogram of one series: half a kilobyte. */
const OBSERVATIONS_MAX = 64;

export type InterceptionMetricsDeps = {
  readonly metrics: GatewayMetrics;
  readonly labels: ModelLabels;
  /** Whether users are a label: there can be very many. */
  readonly isByUser: boolean;
};

export class InterceptionMetrics {
  readonly #deps: InterceptionMetricsDeps;
  readonly #series = new Map<string, InterceptionSeries>();

  constructor(deps: InterceptionMetricsDeps) {
    this.#deps = deps;
  }

  seriesOf(start: InterceptionStart, route: string): InterceptionSeries {
    const provider = start.provider.name;
    const model = this.#deps.labels.modelOf(provider, start.model);
    const user = this.#deps.isByUser ? start.caller.userId : "";
    // The model last: it is the only part that clients choose.
    const key = `${provider} ${route} ${start.client} ${user} ${model}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= SERIES_MAX) this.#forgetAll();
    const initiator = this.#deps.isByUser ? { initiator_id: user } : {};
    const named = { provider, model, route, client: start.client, initiator };
    const series = new InterceptionSeries(this.#deps, named);
    this.#series.set(key, series);
    return series;
  }

  /** Before metrics are read. */
  flush(): void {
    for (const series of this.#series.values()) series.flush();
  }

  /** Calls under way still count on theirs. */
  #forgetAll(): void {
    for (const series of this.#series.values()) series.detach();
    this.#series.clear();
  }
}

type SeriesNames = {
  readonly provider: string;
  readonly model: string;
  readonly route: string;
  readonly client: string;
  readonly initiator: { readonly initiator_id?: string };
};

type Adder = { inc(by?: number): void };

/** Adds up what goes to a metric later. */
class Pending {
  readonly #target: Adder;
  #sum = 0;
  #isDirect = false;

  constructor(target: Adder) {
    this.#target = target;
  }

  add(by: number): void {
    if (this.#isDirect) this.#target.inc(by);
    else this.#sum += by;
  }

  flush(): void {
    if (this.#sum !== 0) this.#target.inc(this.#sum);
    this.#sum = 0;
  }

  /** Nobody will flush it any more. */
  detach(): void {
    this.flush();
    this.#isDirect = true;
  }
}

/** Keeps what was measured until somebody reads, or until it is full: one look at a histogram is dear, many in a row are not. */
class PendingObservations {
  readonly #target: { observe(value: number): void };
  readonly #values = new Float64Array(OBSERVATIONS_MAX);
  #count = 0;
  #isDirect = false;

  constructor(target: { observe(value: number): void }) {
    this.#target = target;
  }

  add(value: number): void {
    this.#values[this.#count] = value;
    this.#count += 1;
    if (this.#isDirect || this.#count === OBSERVATIONS_MAX) this.flush();
  }

  flush(): void {
    for (const value of this.#values.subarray(0, this.#count)) this.#target.observe(value);
    this.#count = 0;
  }

  /** Nobody will flush it any more. */
  detach(): void {
    this.flush();
    this.#isDirect = true;
  }
}

/** The counters of one set of labels. */
export class InterceptionSeries {
  readonly #deps: InterceptionMetricsDeps;
  readonly #names: SeriesNames;
  readonly #underWay: Pending;
  readonly #duration: PendingObservations;
  readonly #attempts: PendingObservations;
  readonly #completed: Pending;
  readonly #failed: Pending;
  readonly #prompts: Pending;
  readonly #tokens = new Map<string, Pending>();
  #isDetached = false;

  constructor(deps: InterceptionMetricsDeps, names: SeriesNames) {
    const { metrics } = deps;
    const { provider, model, route, client, initiator } = names;
    this.#deps = deps;
    this.#names = names;
    this.#underWay = new Pending(metrics.underWay.labels({ provider, model, route }));
    this.#duration = new PendingObservations(metrics.durationSeconds.labels({ provider, model }));
    this.#attempts = new PendingObservations(metrics.failoverAttempts.labels({ provider }));
    const all = { provider, model, route, method: "POST", client, ...initiator };
    this.#completed = new Pending(metrics.interceptions.labels({ ...all, status: "completed" }));
    this.#failed = new Pending(metrics.interceptions.labels({ ...all, status: "failed" }));
    this.#prompts = new Pending(metrics.prompts.labels({ provider, model, client, ...initiator }));
  }

  began(): void {
    this.#underWay.add(1);
  }

  /** Over for the client, after so many attempts with the company's keys. */
  relayed(attempts: number): void {
    this.#underWay.add(-1);
    if (attempts > 0) this.#attempts.add(attempts);
  }

  /** For the counters of circuit breakers. */
  get breakerLabels() {
    const { provider, route: endpoint, model } = this.#names;
    return { provider, endpoint, model };
  }

  ended(end: InterceptionEnd, start: InterceptionStart): void {
    const { provider } = this.#names;
    if (end.error === null) {
      this.#completed.add(1);
      this.#deps.labels.prove(provider, start.model);
    } else {
      this.#failed.add(1);
    }
    const durationMs = end.endedAt.getTime() - start.startedAt.getTime();
    this.#duration.add(Math.max(0, durationMs) / 1_000);
    this.#prompts.add(end.prompts.length);
    for (const tokens of end.tokens) {
      this.#count("input", tokens.input);
      this.#count("output", tokens.output);
      this.#count("cache_read_input_tokens", tokens.cacheReadInput);
      this.#count("cache_write_input_tokens", tokens.cacheWriteInput);
      for (const [type, count] of Object.entries(tokens.extra)) this.#count(type, count);
    }
    for (const { tool } of end.toolCalls) this.#countTool(tool);
  }

  flush(): void {
    for (const pending of this.#all()) pending.flush();
  }

  detach(): void {
    this.#isDetached = true;
    for (const pending of this.#all()) pending.detach();
  }

  #all(): readonly (Pending | PendingObservations)[] {
    const tokens = this.#tokens.values();
    return [
      this.#duration,
      this.#attempts,
      this.#completed,
      this.#failed,
      this.#prompts,
      this.#underWay,
      ...tokens,
    ];
  }

  /** Providers report what they like: what is no count is none. */
  #count(type: string, count: number): void {
    if (!(count > 0 && Number.isFinite(count))) return;
    const known = this.#tokens.get(type);
    if (known !== undefined) return known.add(count);
    const { provider, model, client, initiator } = this.#names;
    const { tokens } = this.#deps.metrics;
    const pending = new Pending(tokens.labels({ provider, model, type, client, ...initiator }));
    if (this.#isDetached) pending.detach();
    this.#tokens.set(type, pending);
    pending.add(count);
  }

  #countTool(tool: string): void {
    const { provider, model } = this.#names;
    const name = this.#deps.labels.toolOf(provider, model, tool);
    this.#deps.metrics.toolSelections.inc({ provider, model, name });
  }
}
