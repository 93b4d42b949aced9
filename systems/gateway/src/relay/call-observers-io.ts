/** Who looks at a call: traces and dumps, each where it is switched on. */
import type { CallObserver } from "../observers/call-observer.ts";
import { allObservers } from "../observers/all-observers.ts";
import type { CallDumper } from "../dump/call-dumper-io.ts";
import type { CallTracer, TracedCall } from "../tracing/call-tracer.ts";
import type { ProviderRoute } from "../routing/route-table.ts";

export type CallObserversDeps = {
  readonly tracer: CallTracer | null;
  readonly dumper: CallDumper | null;
};

/** Null: nobody looks at any call. */
export type ObserveCall =
  | ((call: TracedCall, kind: ProviderRoute["kind"]) => CallObserver | null)
  | null;

export function callObservers({ tracer, dumper }: CallObserversDeps): ObserveCall {
  if (tracer === null && dumper === null) return null;
  return (call, kind) => {
    const { provider, path } = call;
    const observers =
      kind === "bridged"
        ? [tracer?.bridged(call), dumper?.bridged(provider.name)]
        : [tracer?.passthrough(call), dumper?.passthrough(provider.name, path)];
    // The trace first: the dump shows the headers that it adds.
    return allObservers(observers.filter((each) => each !== undefined && each !== null));
  };
}
