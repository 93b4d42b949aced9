/**
 * Names of the files in which content waits until it takes its place. They stand in the directory of
 * the file that they will be, since a rename is atomic only inside of one file system.
 */
import type { Random } from "@atelier/base/random";
import type { Effect } from "@atelier/contract/rpc/workspace/effect";
import { createHash } from "node:crypto";

const NAME = /^\.atelier-(?:[A-Za-z0-9]{20}|effect-[0-9a-f]{32}-\d+)\.tmp$/;

/** Longer than any upload pauses. */
const FORGOTTEN_MS = 3_600_000;
/** As long as the effect journal remembers: until then a repeat may need the file. */
const FORGOTTEN_EFFECT_MS = 7 * 24 * 3_600_000;

/** Makes the names of one call: of a stamped one they are the same in each of its attempts. */
export function tempNames(effect: Effect | null, random: Random): (index: number) => string {
  if (effect === null) return () => `.atelier-${random.alphanumeric(20)}.tmp`;
  const stamp = JSON.stringify([effect.chatId, effect.callId]);
  const hash = createHash("sha256").update(stamp).digest("hex").slice(0, 32);
  return (index) => `.atelier-effect-${hash}-${index}.tmp`;
}

export function isTempName(name: string): boolean {
  return NAME.test(name);
}

/** Whether nobody will come back for a temp file that was last written this long ago. */
export function isForgotten(name: string, ageMs: number): boolean {
  if (!isTempName(name)) return false;
  return ageMs > (name.startsWith(".atelier-effect-") ? FORGOTTEN_EFFECT_MS : FORGOTTEN_MS);
}
