/** A time beside another one: the day is told only where it is not the same. */
export function momentText(time: Date, beside: Date): string {
  const isSameDay = time.toDateString() === beside.toDateString();
  return isSameDay ? time.toLocaleTimeString() : time.toLocaleString();
}
