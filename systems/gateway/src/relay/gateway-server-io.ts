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
  InterceptionRecorder,
  ProviderSource,
} from "@atelier/contract/rpc/gateway-ports";
import type { ModelCallSource } from "@atelier/contract/rpc/model-transport";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type { CallAdmission, LimitVerdict } from "../callers/call-limits.ts";
import { findCallerToken, type CallerToken } from "../callers/caller-token.ts";
import { FAILURE, providerDisabled, routeUnknown } from "../failures/gateway-failure.ts";
import type { GatewayFailure } from "../failures/gateway-failure.ts";
import type { FailoverPolicy, KeyAuthFailurePolicy } from "../keys/key-disposition.ts";
import { parseGatewayPath, type GatewayPath } from "../routing/gateway-path.ts";
import { providerKindOf } from "../routing/provider-kinds.ts";
import { formatOfRoute, matchProviderRoute } from "../routing/route-table.ts";
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
import type { PeerNews } from "./peer-news.ts";
import type { RelayDeps } from "./gateway-call.ts";
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

type Arrived = Omit<Exchange, "prefix"> &
  Identity & {
    readonly path: GatewayPath;
    readonly format: WireFormat | null;
    readonly relayDeps: RelayDeps;
  };

const LIMIT_FAILURES: Readonly<Record<Exclude<LimitVerdict, "admitted">, GatewayFailure>> = {
  too_many_at_once: FAILURE.overloaded,
  too_many_of_user: FAILURE.tooManyOfUser,
  too_many_per_second: FAILURE.rateLimited,
};

export class GatewayServer {
  readonly #deps: GatewayServerDeps;
  readonly #relayDeps: RelayDeps;
  readonly #closers = new Set<() => void>();
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
      onClosing: (close) => {
        this.#closers.add(close);
        return () => this.#closers.delete(close);
      },
    };
  }

  /** A request from the network. */
  handle(req: GatewayRequest, res: GatewayResponse, prefix: string): void {
    const found = findCallerToken(req.headers);
    const identity =
      found === null
        ? null
        : { mode: found.mode, authorize: () => this.#deps.authorizer.authorize(found.token) };
    this.#accept({ req, res, prefix }, identity, this.#relayDeps);
  }

  /** Only for calls of this process: whoever can name a key id here is let in without its secret. */
  handleDelegated({ apiKeyId, mode, source, ...exchange }: DelegatedExchange): void {
    const authorize = () => this.#deps.authorizer.authorizeDelegated(apiKeyId);
    const log = this.#deps.log.child({ source, isDelegated: true });
    this.#accept(exchange, { mode, authorize }, { ...this.#relayDeps, log });
  }

  #accept({ req, res, prefix }: Exchange, identity: Identity | null, relayDeps: RelayDeps): void {
    const { metrics, config } = this.#deps;
    const path = parseGatewayPath((req.url ?? "/").slice(prefix.length));
    const format = path.ok ? formatOfRoute(path.value.route) : null;
    if (this.#isDraining) return refuse(res, format, FAILURE.shuttingDown, metrics);
    if (!path.ok) return refuse(res, null, FAILURE.pathRefused, metrics);
    if (identity === null) return refuse(res, format, FAILURE.noToken, metrics);
    if (identity.mode === "byok" && !config.allowByok) {
      return refuse(res, format, FAILURE.byokForbidden, metrics);
    }
    const arrived = { req, res, path: path.value, format, relayDeps, ...identity };
    this.#serve(arrived).catch((error: unknown) => {
      // Whatever was thrown is our bug: the log gets all of it, the client nothing but the fact.
      relayDeps.log.error({ error }, "gateway request crashed");
      if (res.headersSent) res.destroy();
      else refuse(res, format, { status: 500, message: "something broke on our side" }, metrics);
    });
  }

  /** See Gateway.drain. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    const closeAll = (): void => {
      for (const close of this.#closers) close();
    };
    if (signal.aborted) closeAll();
    signal.addEventListener("abort", closeAll, { once: true });
    if (this.#deps.limiter.underWay > 0) {
      await new Promise<void>((resolve) => this.#idleWaiters.add(resolve));
    }
    signal.removeEventListener("abort", closeAll);
  }

  async #serve(arrived: Arrived): Promise<void> {
    const { limiter, metrics } = this.#deps;
    const { res, format } = arrived;
    const timing = new CallTiming(this.#deps.clock);
    const asked = arrived.authorize();
    const authorization = asked instanceof Promise ? await asked : asked;
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
    try {
      const refused = await this.#route(arrived, caller, timing);
      if (refused !== null) refuse(res, format, refused, metrics);
    } finally {
      limiter.release(caller);
      if (limiter.underWay === 0) {
        for (const resolve of this.#idleWaiters) resolve();
        this.#idleWaiters.clear();
      }
    }
  }

  /** Null: served. Else why not. */
  async #route(
    { req, res, path, mode, relayDeps }: Arrived,
    caller: Caller,
    timing: CallTiming,
  ): Promise<GatewayFailure | null> {
    const { providers, pools, states, observe } = this.#deps;
    const { log } = relayDeps;
    const snapshot = providers.current();
    const provider = snapshot.providers.get(path.providerName);
    const providerKind = provider === undefined ? null : providerKindOf(provider);
    if (provider !== undefined && !provider.enabled) return providerDisabled(provider.name);
    const route = providerKind === null ? null : matchProviderRoute(providerKind.routes, path);
    if (provider === undefined || providerKind === null || route === null) {
      const shown = withoutCredentials(`/${path.providerName}${path.route}`);
      log.warn({ method: req.method, path: shown }, "route not supported");
      return routeUnknown(req.method ?? "", shown);
    }
    const upstream = pools.upstreamOf(provider, snapshot);
    const observer = observe?.({ req, caller, provider, path: path.rawRoute }, route.kind) ?? null;
    const call = {
      req,
      res,
      caller,
      tokenMode: mode,
      path,
      provider,
      providerKind,
      upstream: observer === null ? upstream : observedUpstream(upstream, observer),
      state: states.stateOf(provider, snapshot),
      timing,
      observer,
    };
    try {
      if (route.kind === "bridged") await serveBridged(relayDeps, { ...call, route });
      else await servePassthrough(relayDeps, { ...call, route });
    } finally {
      observer?.closed(res.headersSent ? res.statusCode : null);
    }
    return null;
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
