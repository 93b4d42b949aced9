/** One option of a model's calls: where it stands in the configuration, and how people write it. */
import { NOT_A_NUMBER, typedNumber } from "../forms/typed-number.ts";

type Common = {
  /** Where it stands in the body, and its name in the form: complaints come by the same path. */
  readonly path: `options.${string}`;
  readonly label: string;
  readonly hint?: string;
};

export type OptionField =
  | (Common & {
      /** `switch`: yes, no, or as the provider does. `list`: separated by commas or lines. */
      readonly kind: "number" | "text" | "switch" | "list" | "json";
    })
  | (Common & { readonly kind: "choice"; readonly choices: readonly string[] });

export type OptionReading =
  | { readonly kind: "absent" }
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "wrong"; readonly detail: string };

const ABSENT: OptionReading = { kind: "absent" };

/** What was typed, as the configuration holds it. Whether the value is a good one is the schema's to say. */
export function readOption({ kind }: OptionField, typed: string): OptionReading {
  const text = typed.trim();
  if (text === "") return ABSENT;
  switch (kind) {
    case "number":
      return readNumber(text);
    case "switch":
      return { kind: "value", value: text === "true" };
    case "list":
      return { kind: "value", value: listOf(text) };
    case "json":
      return readJson(text);
    case "text":
    case "choice":
      return { kind: "value", value: text };
  }
}

/** As the form shows what the configuration holds. */
export function writeOption({ kind }: OptionField, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (kind === "list" && Array.isArray(value)) return value.join(", ");
  if (kind === "json") return JSON.stringify(value, null, 2);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function readNumber(text: string): OptionReading {
  const value = typedNumber(text);
  return value === null ? { kind: "wrong", detail: NOT_A_NUMBER } : { kind: "value", value };
}

function listOf(text: string): readonly string[] {
  return text
    .split(/[,\n]/)
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

function readJson(text: string): OptionReading {
  try {
    return { kind: "value", value: JSON.parse(text) as unknown };
  } catch {
    return { kind: "wrong", detail: "This is not JSON." };
  }
}
