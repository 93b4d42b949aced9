/**
 * An upstream whose exchanges are shown to an observer on their way. Whoever sends through it (keys one
 * after the other, a caller's own credential, a route that passes through) need not know of observers.
 */
import type { Upstream, UpstreamClient, UpstreamListener } from "../upstream/upstream-client.ts";
import type { AttemptObserver, CallObserver } from "./call-observer.ts";

/** For one call. */
export function observedUpstream(upstream: Upstream, observer: CallObserver): Upstream {
  return { ...upstream, client: observedClient(upstream.client, observer) };
}

function observedClient(client: UpstreamClient, observer: CallObserver): UpstreamClient {
  return {
    send: (call, listener) => {
      const attempt = observer.attempt(call);
      const exchange = client.send(attempt.call, observedListener(listener, attempt));
      return {
        resume: () => exchange.resume(),
        cancel: () => {
          attempt.cancelled();
          exchange.cancel();
        },
      };
    },
    close: () => client.close(),
  };
}

/** The observer first: what the listener does with the last event may end the call. */
function observedListener(listener: UpstreamListener, attempt: AttemptObserver): UpstreamListener {
  return {
    head: (status, rawHeaders, fields) => {
      attempt.head(status, rawHeaders);
      listener.head(status, rawHeaders, fields);
    },
    data: (chunk) => {
      attempt.data(chunk);
      return listener.data(chunk);
    },
    end: () => {
      attempt.end();
      listener.end();
    },
    failed: (failure) => {
      attempt.failed(failure);
      listener.failed(failure);
    },
  };
}
