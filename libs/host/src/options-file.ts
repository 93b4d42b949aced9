/** Options in a YAML file: a flat mapping of option names to values. Pure. */
import { parseDocument } from "yaml";
import type { RawValue } from "./option-value.ts";

type OptionsFile = {
  readonly values: ReadonlyMap<string, RawValue>;
  readonly mistakes: readonly string[];
};

/** Reads what it can and reports the rest. A key without a value counts as absent. */
export function readOptionsFile(text: string): OptionsFile {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) {
    // Only where and what: the library's message goes on to quote lines, which may hold secrets.
    const mistakes = document.errors.map(
      (error) => `line ${error.linePos?.[0].line ?? "?"} is not valid YAML (${error.code})`,
    );
    return { values: new Map(), mistakes };
  }
  const content: unknown = document.toJS({ mapAsMap: true });
  if (content === null) return { values: new Map(), mistakes: [] };
  if (!(content instanceof Map)) {
    return { values: new Map(), mistakes: ["is not a mapping of option names to values"] };
  }
  const values = new Map<string, RawValue>();
  const mistakes: string[] = [];
  for (const [key, value] of content) {
    if (value === null) continue;
    const raw = toRawValue(value);
    if (raw === null) mistakes.push(`${String(key)}: takes a plain value or a list of them`);
    else values.set(String(key), raw);
  }
  return { values, mistakes };
}

function toRawValue(value: unknown): RawValue | null {
  if (!Array.isArray(value)) return toText(value);
  const items = value.map((item) => toText(item));
  return items.every((item) => item !== null) ? items : null;
}

function toText(value: unknown): string | null {
  return ["string", "number", "boolean", "bigint"].includes(typeof value) ? String(value) : null;
}
