/**
 * Reads JSON from others, of which nothing is certain: what is not as expected is absent. Nothing
 * here throws.
 */
export type LooseObject = { readonly [name: string]: unknown };

/** Undefined when the bytes are not JSON. */
export function parseLooseJson(bytes: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof bytes === "string" ? bytes : UTF8.decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

export function objectIn(value: unknown): LooseObject | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return value as LooseObject; // An object that is no array has members of any type.
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

export function objectsIn(value: unknown): readonly LooseObject[] {
  const objects: LooseObject[] = [];
  for (const each of listIn(value)) {
    const object = objectIn(each);
    if (object !== null) objects.push(object);
  }
  return objects;
}

export function textIn(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** A count of tokens: 0 for anything that is none, at most COUNT_MAX. */
export function countIn(value: unknown): number {
  if (typeof value !== "number" || !(0 < value)) return 0;
  return Math.min(Math.trunc(value), COUNT_MAX);
}

/** Above any count a provider can mean (spec 9.7); it keeps sums of counts exact. */
export const COUNT_MAX = 1e12;

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
