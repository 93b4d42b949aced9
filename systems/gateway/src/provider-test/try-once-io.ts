/** One small request to a provider, read whole. Never rejects; ends at the latest with its time. */
import type { Clock } from "@atelier/base/clock";
import type { UpstreamCall, UpstreamClient } from "../upstream/upstream-client.ts";
import type { TryResult } from "./test-verdict.ts";

/** The longest list of models that we know is a tenth of it. What comes after it is not kept. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;

export async function tryOnce(
  client: UpstreamClient,
  call: UpstreamCall,
  limits: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<TryResult> {
  const { clock, signal, timeoutMs } = limits;
  if (signal.aborted) return { kind: "cancelled" };
  const over = Promise.withResolvers<TryResult>();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let status = 0;
  const exchange = client.send(call, {
    head: (answered) => {
      status = answered;
    },
    data: (chunk) => {
      bytes += chunk.byteLength;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
      return true;
    },
    end: () => over.resolve({ kind: "answered", status, body: Buffer.concat(chunks) }),
    failed: (failure) => over.resolve({ kind: "failed", failure }),
  });
  const timer = new AbortController();
  clock.sleep(timeoutMs, AbortSignal.any([signal, timer.signal])).then(
    () =>
      over.resolve({ kind: "failed", failure: { kind: "timeout", cause: "no answer in time" } }),
    () => over.resolve({ kind: "cancelled" }),
  );
  const result = await over.promise;
  timer.abort();
  if (result.kind !== "answered") exchange.cancel();
  return result;
}
