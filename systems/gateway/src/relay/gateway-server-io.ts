/**
 * Takes each gateway request: who asks, whether they may, which provider and route, and on to the
 * code that relays it. Nothing is known to a caller without a valid token, not even which providers
 * exist.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type {
  Caller,
  CallerAuthorizer,
  InterceptionRecorder,
  ProviderSource,
} from "@atelier/contract/rpc/gateway-ports";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallLimiter, LimitVerdict } from "../callers/call-limits.ts";
import { findCallerToken, type CallerToken } from "../callers/caller-token.ts";
import { FAILURE, providerDisabled, routeUnknown } from "../failures/gateway-failure.ts";
import type { GatewayFailure } from "../failures/gateway-failure.ts";
import type { KeyAuthFailurePolicy } from "../keys/key-disposition.ts";
import { parseGatewayPath, type GatewayPath } from "../routing/gateway-path.ts";
import { providerKindOf } from "../routing/provider-kinds.ts";
import { formatOfRoute, matchProviderRoute } from "../routing/route-table.ts";
import { observedUpstream } from "../observers/observed-upstream.ts";
import { CallTiming } from "../timing/call-timing.ts";
import type { UpstreamPools } from "../upstream/upstream-pools-io.ts";
import { refuse } from "./answer-io.ts";
import { serveBridged } from "./bridged-call-io.ts";
import type { ObserveCall } from "./call-observers-io.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import type { InterceptionMetrics } from "./interception-metrics.ts";
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
  readonly limiter: CallLimiter;
  readonly states: ProviderStates;
  readonly interceptions: InterceptionMetrics;
  readonly observe: ObserveCall;
  readonly config: {
    readonly allowByok: boolean;
    readonly sendActorHeaders: boolean;
    readonly bodyTimeoutMs: number;
    readonly keyAuthFailurePolicy: KeyAuthFailurePolicy;
    readonly keyWaitMs: number;
  };
};

type Arrived = {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly path: GatewayPath;
  readonly format: WireFormat | null;
  readonly found: CallerToken;
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
      keyAuthFailurePolicy: deps.config.keyAuthFailurePolicy,
      keyWaitMsMax: deps.config.keyWaitMs,
      onClosing: (close) => {
        this.#closers.add(close);
        return () => this.#closers.delete(close);
      },
    };
  }

  handle(req: IncomingMessage, res: ServerResponse, prefix: string): void {
    const { metrics, config } = this.#deps;
    const path = parseGatewayPath((req.url ?? "/").slice(prefix.length));
    const format = path.ok ? formatOfRoute(path.value.route) : null;
    if (this.#isDraining) return refuse(res, format, FAILURE.shuttingDown, metrics);
    if (!path.ok) return refuse(res, null, FAILURE.pathRefused, metrics);
    const found = findCallerToken(req.headers);
    if (found === null) return refuse(res, format, FAILURE.noToken, metrics);
    if (found.mode === "byok" && !config.allowByok) {
      return refuse(res, format, FAILURE.byokForbidden, metrics);
    }
    this.#serve({ req, res, path: path.value, format, found }).catch((error: unknown) => {
      // Whatever was thrown is our bug: the log gets all of it, the client nothing but the fact.
      this.#deps.log.error({ error }, "gateway request crashed");
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
    const { authorizer, limiter, metrics } = this.#deps;
    const { res, format, found } = arrived;
    const timing = new CallTiming(this.#deps.clock);
    const asked = authorizer.authorize(found.token);
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
    { req, res, path, found }: Arrived,
    caller: Caller,
    timing: CallTiming,
  ): Promise<GatewayFailure | null> {
    const { providers, pools, states, log, observe } = this.#deps;
    const snapshot = providers.current();
    const provider = snapshot.providers.get(path.providerName);
    const providerKind = provider === undefined ? null : providerKindOf(provider);
    if (provider !== undefined && !provider.enabled) return providerDisabled(provider.name);
    const route = providerKind === null ? null : matchProviderRoute(providerKind.routes, path);
    if (provider === undefined || providerKind === null || route === null) {
      const shown = `/${path.providerName}${path.route}`;
      log.warn({ method: req.method, path: shown }, "route not supported");
      return routeUnknown(req.method ?? "", shown);
    }
    const upstream = pools.upstreamOf(provider, snapshot);
    const observer = observe?.({ req, caller, provider, path: path.rawRoute }, route.kind) ?? null;
    const call = {
      req,
      res,
      caller,
      tokenMode: found.mode,
      path,
      provider,
      providerKind,
      upstream: observer === null ? upstream : observedUpstream(upstream, observer),
      state: states.stateOf(provider, snapshot),
      timing,
      observer,
    };
    try {
      if (route.kind === "bridged") await serveBridged(this.#relayDeps, { ...call, route });
      else await servePassthrough(this.#relayDeps, { ...call, route });
    } finally {
      observer?.closed(res.headersSent ? res.statusCode : null);
    }
    return null;
  }
}
