/**
 * JSON of a bounded size from whatever was sent: long texts lose their ends first, then lists their middles,
 * and each cut says how much is gone. Bytes of files are never in it, only how many there were.
 */
import { toStorableJson } from "../messages/storable-json.ts";

type Cuts = { readonly characters: number; readonly items: number };

const WHOLE: Cuts = { characters: Infinity, items: Infinity };
/** One after the other, until it fits. */
const HARDER: readonly Cuts[] = [
  { characters: 65_536, items: Infinity },
  { characters: 8_192, items: Infinity },
  { characters: 1_024, items: Infinity },
  { characters: 1_024, items: 200 },
  { characters: 128, items: 40 },
  { characters: 64, items: 8 },
];

/** At most so many characters, whatever `value` is. `clean` is for each text in it, before it is cut. */
export function boundedJson(
  value: unknown,
  charactersMax: number,
  clean: (text: string) => string,
): string {
  let json = toText(value, WHOLE, clean);
  for (const cuts of HARDER) {
    if (json.length <= charactersMax) return json;
    json = toText(value, cuts, clean);
  }
  if (json.length <= charactersMax) return json;
  return JSON.stringify({ left_out: `${json.length} characters` });
}

/** The beginning, and how much followed. */
export function cutText(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const left = text.length - charactersMax;
  return `${text.slice(0, charactersMax).toWellFormed()}… [${left} more characters]`;
}

/** A guess, and soon made: what it would take as JSON. */
export function roughSize(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return 8;
  let size = 8;
  for (const inner of Object.values(value)) size += roughSize(inner);
  return size;
}

function toText(
  value: unknown,
  { characters, items }: Cuts,
  clean: (text: string) => string,
): string {
  const json = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "string") return cutText(clean(inner), characters);
    if (ArrayBuffer.isView(inner)) return { bytes: inner.byteLength };
    if (Array.isArray(inner) && inner.length > items) return withoutMiddle(inner, items);
    return inner;
  });
  // Nothing at all is no JSON.
  return toStorableJson(JSON.parse(json ?? "null"));
}

/** What came first says what it is about, and what came last is what the answer was about. */
function withoutMiddle(list: readonly unknown[], itemsMax: number): readonly unknown[] {
  const first = Math.ceil(itemsMax / 4);
  const last = itemsMax - first;
  return [
    ...list.slice(0, first),
    { left_out: `${list.length - itemsMax} items` },
    ...list.slice(-last),
  ];
}
