/** What somebody types, once they pause: not every letter is a question to the server. */
import { systemClock } from "@atelier/base/system-clock";
import { useEffect, useState } from "react";

export function useSettled(value: string, afterMs: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (value === settled) return undefined;
    const stop = new AbortController();
    systemClock.sleep(afterMs, stop.signal).then(
      () => setSettled(value),
      () => {}, // Something else was typed.
    );
    return () => stop.abort(new Error("typed on"));
  }, [value, settled, afterMs]);
  return settled;
}
