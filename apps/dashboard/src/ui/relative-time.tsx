/** A time as people say it, with the exact one when pointed at. */
import { useNow } from "../browser/ticks.ts";
import { relativeTimeText } from "./relative-time-text.ts";

const LOOK_AGAIN_MS = 15_000;

export function RelativeTime({ time }: { readonly time: string }) {
  const now = useNow(LOOK_AGAIN_MS);
  const date = new Date(time);
  return (
    <time className="whitespace-nowrap" dateTime={time} title={date.toLocaleString()}>
      {relativeTimeText(date, now)}
    </time>
  );
}
