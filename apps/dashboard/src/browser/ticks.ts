/** Time as it passes on a page: relative times change without anybody asking. */
import { systemClock } from "@atelier/base/system-clock";
import { useEffect, useState } from "react";

/** The time, looked at again every so often while the page is shown. */
export function useNow(everyMs: number): Date {
  const [now, setNow] = useState(() => systemClock.now());
  useEffect(() => {
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      for (;;) {
        await systemClock.sleep(everyMs, stop.signal);
        setNow(systemClock.now());
      }
    };
    run().catch(() => {}); // Stopped: the page shows something else.
    return () => stop.abort(new Error("not shown any more"));
  }, [everyMs]);
  return now;
}

/** True once something has been so for a while: what is over quickly need not be shown. */
export function useIsLasting(isSo: boolean, afterMs: number): boolean {
  const [isLasting, setIsLasting] = useState(false);
  useEffect(() => {
    if (!isSo) return undefined;
    const stop = new AbortController();
    systemClock.sleep(afterMs, stop.signal).then(
      () => setIsLasting(true),
      () => {}, // It was over before.
    );
    return () => {
      stop.abort(new Error("over"));
      setIsLasting(false);
    };
  }, [isSo, afterMs]);
  return isLasting;
}
