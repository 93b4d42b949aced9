/** Sizes as people read them. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
const STEP = 1_024;

/** Three digits at most: "812 B", "1.5 KiB", "24 MiB". */
export function byteText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= STEP && unit < UNITS.length - 1) {
    size /= STEP;
    unit += 1;
  }
  const digits = unit === 0 || size >= 10 ? 0 : 1;
  return `${size.toFixed(digits)} ${UNITS[unit]}`;
}
