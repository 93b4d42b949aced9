/** The options of the server → what its gateways are told, in whichever thread they are. */
import type { GatewayConfig } from "@atelier/gateway/start";
import type { ServerConfig } from "./config.ts";

/** Longest silence while a gateway request's body arrives. A guess: slow uplinks pause for seconds. */
const BODY_SILENCE_MS_MAX = 60_000;

export function gatewayConfigOf(config: ServerConfig): GatewayConfig {
  return {
    allowByok: config.aiGatewayAllowByok,
    sendActorHeaders: config.aiGatewaySendActorHeaders,
    upstreamTimeouts: {
      connectMs: config.aiGatewayConnectTimeoutMs,
      headerMs: config.aiGatewayHeaderTimeoutMs,
      streamHeaderMs: config.aiGatewayStreamHeaderTimeoutMs,
      idleMs: config.aiGatewayIdleTimeoutMs,
    },
    upstreamClient: config.aiGatewayUpstreamClient,
    bodyTimeoutMs: BODY_SILENCE_MS_MAX,
    keyAuthFailurePolicy: config.keyAuthFailurePolicy,
    keyWaitMs: config.aiGatewayKeyWaitMs,
    stripsForeignReasoning: config.aiGatewayForeignReasoning === "strip",
    keyRecheckMs: config.aiGatewayKeyRecheckMs,
    keyQueue: {
      lengthMax: config.aiGatewayKeyQueueSize,
      msMax: config.aiGatewayKeyQueueWaitMs,
    },
    failover: config.aiGatewayFailover,
    failoverWithinMs: config.aiGatewayFailoverWithinMs,
    circuitBreaker: config.aiGatewayCircuitBreakerEnabled
      ? {
          failureThreshold: config.aiGatewayCircuitBreakerFailureThreshold,
          intervalMs: config.aiGatewayCircuitBreakerIntervalMs,
          openMs: config.aiGatewayCircuitBreakerTimeoutMs,
          probesMax: config.aiGatewayCircuitBreakerMaxRequests,
        }
      : null,
    rateLimit: config.aiGatewayRateLimit,
    maxConcurrency: config.aiGatewayMaxConcurrency,
    maxConcurrencyPerUser: config.aiGatewayMaxConcurrencyPerUser,
    metricsByUser: config.aiGatewayMetricsByUser,
    sendTraceHeaders: config.aiGatewaySendTraceHeaders,
    dumpDir: config.aiGatewayDumpDir,
  };
}
