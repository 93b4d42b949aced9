/**
 * The JSON scanner against JSON.parse: both accept the same documents and find the same members, up to
 * what the scanner's header allows inside strings.
 */
import { readText, scanDocument, type JsonMember } from "./json-scanner.ts";
import { SeededDraws } from "./seeded-draws.ts";
import { damage, SIMULATED_NAMES, simulateObject } from "./simulated-inputs.ts";

export const title = "JSON scanner against JSON.parse";

export type SimulationInput = {
  readonly seed: number;
  readonly runs: number;
  readonly report: (progress: string) => void;
};

/** Rejects at the first difference, with the document and what repeats it. */
export async function simulate({ seed, runs, report }: SimulationInput): Promise<void> {
  const draws = new SeededDraws(seed);
  let accepted = 0;
  for (let run = 0; run < runs; run += 1) {
    const document = damage(draws, UTF8.encode(simulateObject(draws)));
    const difference = compare(document);
    if (difference !== null) {
      const shown = JSON.stringify(TEXT.decode(document));
      throw new Error(`seed ${seed}, run ${run}: ${difference} in ${shown}`);
    }
    if (scanDocument(document, []).ok) accepted += 1;
    if ((run + 1) % REPORT_EVERY === 0) report(`${run + 1} documents, ${accepted} of them JSON`);
    // Lets signals and timers in now and then.
    if ((run + 1) % REPORT_EVERY === 0) await Promise.resolve();
  }
}

const REPORT_EVERY = 1_000_000;
const UTF8 = new TextEncoder();
const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

function compare(document: Uint8Array): string | null {
  const scanned = scanDocument(document, SIMULATED_NAMES);
  const text = TEXT.decode(document);
  const parsed = parse(forgiveStrings(text));
  const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  if (scanned.ok !== isObject) return `accepted is ${scanned.ok}, should be ${isObject}`;
  if (!scanned.ok) {
    const kind = parsed === undefined ? ["empty", "malformed"] : ["not_an_object"];
    return kind.includes(scanned.failure.kind) ? null : `refused as ${scanned.failure.kind}`;
  }
  const strict = parse(text) as Record<string, unknown> | undefined; // An object, as just seen.
  if (strict === undefined) return null;
  for (const name of SIMULATED_NAMES) {
    const difference = compareMember(document, scanned.value.get(name), strict, name);
    if (difference !== null) return difference;
  }
  return null;
}

function compareMember(
  document: Uint8Array,
  found: JsonMember | undefined,
  strict: Record<string, unknown>,
  name: string,
): string | null {
  if ((found !== undefined) !== Object.hasOwn(strict, name)) return `${name} found wrongly`;
  if (found === undefined) return null;
  const value = strict[name];
  if (!isSame(parseSlice(document, found), value)) return `${name} has another value`;
  if (typeof value === "string" && readText(document, found) !== value)
    return `${name} reads wrong`;
  const last = Array.isArray(value) ? (value as unknown[]).at(-1) : undefined;
  const lastFound =
    found.lastElement === null ? undefined : parseSlice(document, found.lastElement);
  return isSame(last, lastFound) ? null : `${name} has another last element`;
}

function parseSlice(document: Uint8Array, slice: { start: number; end: number }): unknown {
  return parse(TEXT.decode(document.subarray(slice.start, slice.end)));
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The document with right spelling inside its strings, found one character after another. */
function forgiveStrings(text: string): string {
  let forgiven = "";
  let isInString = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text.charAt(i);
    if (character === '"') isInString = !isInString;
    if (!isInString || character === '"') forgiven += character;
    else if (character !== "\\") forgiven += character < " " ? "_" : character;
    else {
      const escape = /^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.exec(text.slice(i, i + 6))?.[0];
      // Whatever follows a backslash is inside the string.
      forgiven += escape ?? (i + 1 < text.length ? "__" : "_");
      i += (escape ?? "__").length - 1;
    }
  }
  return forgiven;
}
