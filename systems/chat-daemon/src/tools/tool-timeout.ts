/** How long a tool may take, as models write it: `90s`, `5m`, or a number of seconds. */
import { parseDurationMs } from "@atelier/base/duration";
import { z } from "zod";

export const TOOL_TIMEOUT_MS_MAX = 4 * 3_600_000;

/** Milliseconds, at most four hours. `minMs` is the least that is allowed. */
export function toolTimeout(minMs: number) {
  return z.union([z.string(), z.number()]).transform((given, refine) => {
    const text = String(given).trim();
    const ms = /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1_000 : parseDurationMs(text);
    if (ms === null || ms < minMs) {
      refine.addIssue({ code: "custom", message: "a duration such as 90s or 5m" });
      return z.NEVER;
    }
    return Math.min(Math.round(ms), TOOL_TIMEOUT_MS_MAX);
  });
}
