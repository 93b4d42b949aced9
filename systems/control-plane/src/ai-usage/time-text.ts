/**
 * Times as records hold them. The runtime's own way prints each number by a format, and takes longer than the rest of a
 * row; of times that come one after the other nearly all of the text is that of the one before.
 */

const SECOND_MS = 1_000;

/** Of the second that was asked for last: its text up to the milliseconds. */
let lastSecond = Number.NaN;
let upToMs = "";

/** As `toISOString`. */
export function timeText(time: Date): string {
  const ms = time.getTime();
  const second = Math.floor(ms / SECOND_MS);
  if (second !== lastSecond) {
    upToMs = time.toISOString().slice(0, -"000Z".length);
    lastSecond = second;
  }
  const rest = ms - second * SECOND_MS;
  return `${upToMs}${rest < 100 ? (rest < 10 ? "00" : "0") : ""}${rest}Z`;
}
