/** Keeps a text as a file of the person's. */
import { systemClock } from "@atelier/base/system-clock";

/** Browsers read it right after the press; some a little later. */
const READ_MS = 30_000;

export function saveText(name: string, text: string, mediaType = "text/plain"): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${mediaType};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  systemClock.sleep(READ_MS, new AbortController().signal).then(
    () => URL.revokeObjectURL(url),
    () => {}, // Nobody stops it.
  );
}
