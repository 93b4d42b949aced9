/** Several observers of one call as one. What each makes of an attempt's call is what the next one sees. */
import type { AttemptObserver, CallObserver } from "./call-observer.ts";

/** Null: nobody looks. */
export function allObservers(observers: readonly CallObserver[]): CallObserver | null {
  const [only, ...others] = observers;
  if (only === undefined) return null;
  return others.length === 0 ? only : toOne(observers);
}

function toOne(observers: readonly CallObserver[]): CallObserver {
  const tell = (use: (observer: CallObserver) => void): void => {
    for (const observer of observers) use(observer);
  };
  return {
    understood: (start, request) => tell((each) => each.understood(start, request)),
    recorded: (isDurable) => tell((each) => each.recorded(isDurable)),
    attempt: (call) => {
      let sent = call;
      const attempts = observers.map((each) => {
        const attempt = each.attempt(sent);
        sent = attempt.call;
        return attempt;
      });
      return toOneAttempt(attempts, sent);
    },
    ended: (end, observed) => tell((each) => each.ended(end, observed)),
    closed: (status) => tell((each) => each.closed(status)),
  };
}

function toOneAttempt(
  attempts: readonly AttemptObserver[],
  call: AttemptObserver["call"],
): AttemptObserver {
  const tell = (use: (attempt: AttemptObserver) => void): void => {
    for (const attempt of attempts) use(attempt);
  };
  return {
    call,
    head: (status, rawHeaders) => tell((each) => each.head(status, rawHeaders)),
    data: (chunk) => tell((each) => each.data(chunk)),
    end: () => tell((each) => each.end()),
    failed: (failure) => tell((each) => each.failed(failure)),
    cancelled: () => tell((each) => each.cancelled()),
  };
}
