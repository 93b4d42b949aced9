/**
 * Takes each gateway request: who asks, whether they may, which provider and route, and on to the
 * code that relays it. Nothing is known to a caller without a valid token, not even which providers
 * exist.
 */
import type { Clock } from "@atelier/base/clock";
import { maskCredential } from "@atelier/base/mask";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type {
  Caller,
  CallerAuthorization,
  CallerAuthorizer,
  GatewayProvider,
  InterceptionRecorder,
  ProviderSource,
} from "@atelier/contract/rpc/gateway-ports";
import type { ModelCallSource } from "@atelier/contract/rpc/model-transport";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type { CallAdmission, LimitVerdict } from "../callers/call-limits.ts";
import type { CallerToken } from "../callers/caller-token.ts";
import { FAILURE, providerDisabled, routeUnknown } from "../failures/gateway-failure.ts";
import type { GatewayFailure } from "../failures/gateway-failure.ts";
import type { FailoverPolicy, KeyAuthFailurePolicy } from "../keys/key-disposition.ts";
import type { GatewayPath } from "../routing/gateway-path.ts";
import { providerKindOf } from "../routing/provider-kinds.ts";
import type { ProviderRoute } from "../routing/route-table.ts";
import { observedUpstream } from "../observers/observed-upstream.ts";
import { CallTiming } from "../timing/call-timing.ts";
import type { UpstreamPools } from "../upstream/upstream-pools-io.ts";
import { refuse } from "./answer-io.ts";
import { serveBridged } from "./bridged-call-io.ts";
import type { ObserveCall } from "./call-observers-io.ts";
import type { GatewayRequest, GatewayResponse } from "./client-exchange.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import type { InterceptionMetrics } from "./interception-metrics.ts";
import type { KeyChecks } from "./key-checks.ts";
import { OpenCalls } from "./open-calls.ts";
import type { PeerNews } from "./peer-news.ts";
import type { GatewayCall, OnOver, RelayDeps } from "./gateway-call.ts";
import { factsOf, type HeadFacts } from "./head-facts.ts";
import { servePassthrough } from "./passthrough-call-io.ts";
import type { ProviderStates } from "./provider-states.ts";

export type GatewayServerDeps = {
  readonly providers: ProviderSource;
  readonly authorizer: CallerAuthorizer;
  readonly recorder: InterceptionRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: GatewayMetrics;
  readonly pools: UpstreamPools;
  readonly limiter: CallAdmission;
  readonly states: ProviderStates;
  readonly interceptions: InterceptionMetrics;
  readonly news: PeerNews;
  readonly keyChecks: Pick<KeyChecks, "refused">;
  readonly observe: ObserveCall;
  readonly config: {
    readonly allowByok: boolean;
    readonly sendActorHeaders: boolean;
    readonly bodyTimeoutMs: number;
    readonly stripsForeignReasoning: boolean;
    readonly keyAuthFailurePolicy: KeyAuthFailurePolicy;
    readonly keyWaitMs: number;
    readonly failover: FailoverPolicy;
    readonly failoverWithinMs: number;
    readonly upstreamTimeouts: {
      readonly headerMs: number;
      readonly streamHeaderMs: number;
    };
  };
};

type Exchange = {
  readonly req: GatewayRequest;
  readonly res: GatewayResponse;
  /** The part of the path before `/<provider>/…`. */
  readonly prefix: string;
};

/** Who asks, and how that is found out. */
type Identity = {
  readonly mode: CallerToken["mode"];
  authorize(): CallerAuthorization | Promise<CallerAuthorization>;
};

/** A call of this process itself. Nothing in its headers says for whom it is. */
export type DelegatedExchange = Exchange & {
  readonly apiKeyId: string;
  /** `byok`: the credential headers hold the person's own key. */
  readonly mode: CallerToken["mode"];
  readonly source: ModelCallSource;
};

type Arrived = Omit<Exchange, "prefix"> & {
  readonly identity: Identity;
  readonly facts: HeadFacts;
  readonly path: GatewayPath;
  readonly format: WireFormat | null;
  readonly relayDeps: RelayDeps;
  readonly timing: CallTiming;
};

const LIMIT_FAILURES: Readonly<Record<Exclude<LimitVerdict, "admitted">, GatewayFailure>> = {
  too_many_at_once: FAILURE.overloaded,
  too_many_of_user: FAILURE.tooManyOfUser,
  too_many_per_second: FAILURE.rateLimited,
};

export class GatewayServer {
  readonly #deps: GatewayServerDeps;
  readonly #relayDeps: RelayDeps;
  readonly #delegatedDeps = new Map<ModelCallSource, RelayDeps>();
  readonly #open = new OpenCalls();
  readonly #idleWaiters = new Set<() => void>();
  #isDraining = false;

  constructor(deps: GatewayServerDeps) {
    this.#deps = deps;
    this.#relayDeps = {
      ...deps,
      sendActorHeaders: deps.config.sendActorHeaders,
      bodySilenceMsMax: deps.config.bodyTimeoutMs,
      stripsForeignReasoning: deps.config.stripsForeignReasoning,
      keyAuthFailurePolicy: deps.config.keyAuthFailurePolicy,
      keyWaitMsMax: deps.config.keyWaitMs,
      failover: deps.config.failover,
      failoverMsMax: deps.config.failoverWithinMs,
      headMsMax: deps.config.upstreamTimeouts.headerMs,
      streamHeadMsMax: deps.config.upstreamTimeouts.streamHeaderMs,
      onClosing: (close) => this.#open.add(close),
    };
  }

  /** A request from the network. */
  handle(req: GatewayRequest, res: GatewayResponse, prefix: string): void {
    const facts = factsOf(req, prefix);
    const { token } = facts;
    const identity =
      token === null
        ? null
        : {
            mode: token.mode,
            authorize: () => this.#deps.authorizer.authorize(token.token, token),
          };
    this.#accept({ req, res, facts }, identity, this.#relayDeps);
  }

  /** Only for calls of this process: whoever can name a key id here is let in without its secret. */
  handleDelegated({ apiKeyId, mode, source, req, res, prefix }: DelegatedExchange): void {
    const authorize = () => this.#deps.authorizer.authorizeDelegated(apiKeyId);
    const facts = factsOf(req, prefix);
    this.#accept({ req, res, facts }, { mode, authorize }, this.#relayDepsOf(source));
  }

  /** The same for each call: a logger of its own costs more than what it says. */
  #relayDepsOf(source: ModelCallSource): RelayDeps {
    let relayDeps = this.#delegatedDeps.get(source);
    if (relayDeps === undefined) {
      const log = this.#deps.log.child({ source, isDelegated: true });
      relayDeps = { ...this.#relayDeps, log };
      this.#delegatedDeps.set(source, relayDeps);
    }
    return relayDeps;
  }

  #accept(
    { req, res, facts }: Pick<Arrived, "req" | "res" | "facts">,
    identity: Identity | null,
    relayDeps: RelayDeps,
  ): void {
    const { metrics, config, clock } = this.#deps;
    const { path, format } = facts;
    if (this.#isDraining) return refuse(res, format, FAILURE.shuttingDown, metrics);
    if (!path.ok) return refuse(res, null, FAILURE.pathRefused, metrics);
    if (identity === null) return refuse(res, format, FAILURE.noToken, metrics);
    if (identity.mode === "byok" && !config.allowByok) {
      return refuse(res, format, FAILURE.byokForbidden, metrics);
    }
    const timing = new CallTiming(clock);
    const arrived = { req, res, facts, path: path.value, format, relayDeps, identity, timing };
    // What is known at once is not waited for.
    try {
      const asked = identity.authorize();
      if (asked instanceof Promise) {
        asked
          .then((authorization) => this.#admit(arrived, authorization))
          .catch((error: unknown) => this.#onCrash(arrived, error));
      } else {
        this.#admit(arrived, asked);
      }
    } catch (error) {
      this.#onCrash(arrived, error);
    }
  }

  /** Whatever was thrown is our bug: the log gets all of it, the client nothing but the fact. */
  #onCrash({ res, format, relayDeps }: Arrived, error: unknown): void {
    relayDeps.log.error({ error }, "gateway request crashed");
    if (res.headersSent) res.destroy();
    else {
      const failure = { status: 500, message: "something broke on our side" };
      refuse(res, format, failure, this.#deps.metrics);
    }
  }

  /** See Gateway.drain. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    const closeAll = (): void => this.#open.endAll();
    if (signal.aborted) closeAll();
    signal.addEventListener("abort", closeAll, { once: true });
    if (this.#deps.limiter.underWay > 0) {
      await new Promise<void>((resolve) => this.#idleWaiters.add(resolve));
    }
    signal.removeEventListener("abort", closeAll);
  }

  #admit(arrived: Arrived, authorization: CallerAuthorization): void {
    const { limiter, metrics } = this.#deps;
    const { res, format, timing } = arrived;
    if (authorization.kind !== "authorized") {
      const failure =
        authorization.kind === "unavailable" ? FAILURE.authorizerUnavailable : FAILURE.unauthorized;
      return refuse(res, format, failure, metrics);
    }
    if (this.#isDraining) return refuse(res, format, FAILURE.shuttingDown, metrics);
    const { caller } = authorization;
    const verdict = limiter.admit(caller);
    if (verdict !== "admitted") return refuse(res, format, LIMIT_FAILURES[verdict], metrics);
    timing.mark("auth");
    let isOver = false;
    const onOver = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      if (error !== null) this.#onCrash(arrived, error);
      this.#release(caller);
    };
    try {
      this.#route(arrived, caller, onOver);
    } catch (error) {
      onOver(error);
    }
  }

  #release(caller: Caller): void {
    const { limiter } = this.#deps;
    limiter.release(caller);
    if (limiter.underWay > 0 || this.#idleWaiters.size === 0) return;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters.clear();
  }

  #route(arrived: Arrived, caller: Caller, onOver: OnOver): void {
    const { providers, pools, states, observe, metrics } = this.#deps;
    const { req, res, facts, path, identity, relayDeps, timing } = arrived;
    const snapshot = providers.current();
    const provider = snapshot.providers.get(path.providerName);
    const providerKind = provider === undefined ? null : providerKindOf(provider);
    const route = providerKind === null ? null : facts.routeIn(providerKind.routes, path);
    const isServed = provider?.enabled === true && route !== null;
    if (!isServed || provider === undefined || providerKind === null) {
      refuse(res, arrived.format, this.#whyNotRouted(arrived, provider), metrics);
      return onOver(null);
    }
    const upstream = pools.upstreamOf(provider, snapshot);
    const observer = observe?.({ req, caller, provider, path: path.rawRoute }, route.kind) ?? null;
    const call: GatewayCall = {
      req,
      res,
      facts,
      caller,
      tokenMode: identity.mode,
      path,
      provider,
      providerKind,
      upstream: observer === null ? upstream : observedUpstream(upstream, observer),
      state: states.stateOf(provider, snapshot),
      timing,
      observer,
    };
    if (observer === null) return this.#serve(relayDeps, call, route, onOver);
    this.#serve(relayDeps, call, route, (error) => {
      observer.closed(res.headersSent ? res.statusCode : null);
      onOver(error);
    });
  }

  #serve(relayDeps: RelayDeps, call: GatewayCall, route: ProviderRoute, onOver: OnOver): void {
    if (route.kind === "bridged") {
      serveBridged(relayDeps, { ...call, route }, onOver);
    } else {
      servePassthrough(relayDeps, { ...call, route }).then(() => onOver(null), onOver);
    }
  }

  #whyNotRouted(
    { req, path, relayDeps }: Arrived,
    provider: GatewayProvider | undefined,
  ): GatewayFailure {
    if (provider !== undefined && !provider.enabled) return providerDisabled(provider.name);
    const shown = withoutCredentials(`/${path.providerName}${path.route}`);
    relayDeps.log.warn({ method: req.method, path: shown }, "route not supported");
    return routeUnknown(req.method ?? "", shown);
  }
}

/** Longer than the names of routes, and than those that people give to providers. */
const PATH_SEGMENT_LENGTH_MAX = 24;

/** Of a path that leads nowhere: some tools put keys into paths. */
function withoutCredentials(path: string): string {
  return path
    .split("/")
    .map((part) => (part.length > PATH_SEGMENT_LENGTH_MAX ? maskCredential(part) : part))
    .join("/");
}
