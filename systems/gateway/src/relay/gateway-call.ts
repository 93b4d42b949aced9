/** What serving one request needs: the gateway's parts, and what is known of the request. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type {
  Caller,
  GatewayProvider,
  InterceptionRecorder,
} from "@atelier/contract/rpc/gateway-ports";
import type { CallerToken } from "../callers/caller-token.ts";
import type { FailoverPolicy, KeyAuthFailurePolicy } from "../keys/key-disposition.ts";
import type { CallObserver } from "../observers/call-observer.ts";
import type { GatewayPath } from "../routing/gateway-path.ts";
import type { ProviderKind } from "../routing/provider-kinds.ts";
import type { ProviderRoute } from "../routing/route-table.ts";
import type { CallTiming } from "../timing/call-timing.ts";
import type { Upstream } from "../upstream/upstream-client.ts";
import type { GatewayRequest, GatewayResponse } from "./client-exchange.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import type { HeadFacts } from "./head-facts.ts";
import type { InterceptionMetrics } from "./interception-metrics.ts";
import type { KeyChecks } from "./key-checks.ts";
import type { PeerNews } from "./peer-news.ts";
import type { ProviderState } from "./provider-states.ts";

export type RelayDeps = {
  readonly recorder: InterceptionRecorder;
  readonly metrics: GatewayMetrics;
  /** To and from the deployment's other gateways. */
  readonly news: PeerNews;
  readonly keyChecks: Pick<KeyChecks, "refused">;
  readonly interceptions: InterceptionMetrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly sendActorHeaders: boolean;
  readonly bodySilenceMsMax: number;
  /** Whether a conversation goes on without reasoning that its provider refuses as another's. */
  readonly stripsForeignReasoning: boolean;
  readonly keyAuthFailurePolicy: KeyAuthFailurePolicy;
  readonly failover: FailoverPolicy;
  /** A call older than this fails instead of trying another key after a fault. 0: no limit. */
  readonly failoverMsMax: number;
  /** Longest wait for an answer's head, blocking and where a stream was asked for. */
  readonly headMsMax: number;
  readonly streamHeadMsMax: number;
  /** Longest wait for a key that rests, when no other is left. 0: none. */
  readonly keyWaitMsMax: number;
  /** Runs `close` if the server stops while the call is under way; the result ends that. */
  onClosing(close: () => void): () => void;
};

export type GatewayCall = {
  readonly req: GatewayRequest;
  readonly res: GatewayResponse;
  readonly facts: HeadFacts;
  readonly caller: Caller;
  readonly tokenMode: CallerToken["mode"];
  readonly path: GatewayPath;
  readonly provider: GatewayProvider;
  readonly providerKind: ProviderKind;
  readonly upstream: Upstream;
  readonly state: ProviderState;
  readonly timing: CallTiming;
  /** Null: nobody looks. What it sees of the upstream, it sees by itself. */
  readonly observer: CallObserver | null;
};

export type CallOf<Kind extends ProviderRoute["kind"]> = GatewayCall & {
  readonly route: Extract<ProviderRoute, { kind: Kind }>;
};

/**
 * The call is over: its client has its answer, and its end is handed to the recorder. Null, or what was thrown on the
 * way, which is our own bug.
 */
export type OnOver = (error: unknown) => void;
