/** Sends an answer of the gateway's own. */
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { toAnswer, type GatewayFailure } from "../failures/gateway-failure.ts";
import type { GatewayResponse } from "./client-exchange.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";

export function refuse(
  res: GatewayResponse,
  format: WireFormat | null,
  failure: GatewayFailure,
  metrics: GatewayMetrics,
): void {
  metrics.refusals.inc({ status: failure.status });
  if (res.headersSent || res.destroyed) return;
  const answer = toAnswer(format, failure);
  res.writeHead(answer.status, answer.headers);
  if (res.req.complete || res.req.method === "HEAD") res.end(answer.body);
  else endAfterRequest(res, answer.body);
}

/** What a refused client may still send before it is cut off. */
const LINGER_BYTES_MAX = 64 * 1024 * 1024;
const LINGER_SILENCE_MS_MAX = 5_000;

/**
 * The client is still sending. Closing now would reset the connection and could lose the answer on
 * its way, so the rest of the request is read and dropped first, within limits.
 */
function endAfterRequest(res: GatewayResponse, body: Uint8Array): void {
  const { req } = res;
  res.write(body);
  let bytes = 0;
  req.on("data", (chunk: Uint8Array) => {
    bytes += chunk.byteLength;
    if (bytes > LINGER_BYTES_MAX) req.destroy();
  });
  req.once("end", () => res.end());
  req.once("timeout", () => req.destroy());
  req.on("error", () => {}); // A reset connection: nobody is left to answer.
  req.socket.setTimeout(LINGER_SILENCE_MS_MAX);
}
