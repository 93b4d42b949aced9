/**
 * A request of the messages format as InvokeModel takes it (spec gateway 4.5.2, 4.5.3). What is kept of
 * the body is the client's own bytes, in their order: prompts stay cacheable.
 */
import {
  isTrue,
  listElements,
  listMembers,
  readMembers,
  readText,
  type NamedMember,
  type Slice,
} from "@atelier/model-wire/json-scanner";
import {
  BEDROCK_ANTHROPIC_VERSION,
  BUDGET_PERCENT_DEFAULT,
  BUDGET_PERCENTS,
  BUDGET_TOKENS_MIN,
  FLAGGED_MEMBERS,
  REFUSED_MEMBERS,
  takesFlag,
  thinkingOf,
} from "./bedrock-models.ts";

export type BedrockRequest = {
  /** The one that serves. */
  readonly model: string;
  readonly body: Uint8Array;
  readonly isStream: boolean;
  /** Beta flags that the model does not take. */
  readonly droppedFlags: readonly string[];
  /** Why thinking stays as the client has it, though the model may refuse that. Null: no reason. */
  readonly warning: string | null;
};

export type BedrockRequestOptions = {
  /** The model that serves a request which names this one. It decides what the request may hold. */
  readonly modelFor: (requested: string | null) => string;
  /** The id by which that model is known: an inference profile's own may not name its model. */
  readonly knownAs?: (model: string) => string;
  /** Values of the header `anthropic-beta`, each a list with commas. */
  readonly betaHeaders: readonly string[];
};

/** `body` is one JSON object. */
export function toBedrockRequest(
  body: Uint8Array,
  { modelFor, betaHeaders, knownAs = (id) => id }: BedrockRequestOptions,
): BedrockRequest {
  const members = listMembers(body, wholeOf(body));
  // As with all readers of JSON, the last of several members with one name counts.
  const values = new Map(members.map(({ name, value }) => [name, value]));
  const model = modelFor(readText(body, values.get("model")));
  const known = knownAs(model);
  const asked = new Set([
    ...betaHeaders.flatMap((value) => value.split(",")).map((flag) => flag.trim()),
    ...textsIn(body, values.get("anthropic_beta")),
  ]);
  asked.delete("");
  const flags = [...asked].filter((flag) => takesFlag(known, flag));
  const thinking = convertThinking(body, values, known);
  const replaced = new Map<string, string | null>([
    ...["model", "stream", "anthropic_beta", ...REFUSED_MEMBERS].map(
      (name) => [name, null] as const,
    ),
    ...flaggedMembers(body, values, { model: known, flags }),
    ...(thinking.value === null ? [] : [["thinking", thinking.value] as const]),
  ]);
  const parts = keptMembers(body, members, replaced);
  if (!values.has("anthropic_version")) {
    parts.push(encode(`"anthropic_version":${JSON.stringify(BEDROCK_ANTHROPIC_VERSION)}`));
  }
  if (flags.length > 0) parts.push(encode(`"anthropic_beta":${JSON.stringify(flags)}`));
  return {
    model,
    body: joined(parts),
    isStream: isTrue(body, values.get("stream")),
    droppedFlags: [...asked].filter((flag) => !flags.includes(flag)),
    warning: thinking.warning,
  };
}

type Values = ReadonlyMap<string | null, Slice>;

/** Null takes a member away, a text stands in place of its value. */
function flaggedMembers(
  body: Uint8Array,
  values: Values,
  { model, flags }: { readonly model: string; readonly flags: readonly string[] },
): (readonly [string, string | null])[] {
  const replaced: (readonly [string, string | null])[] = [];
  for (const [name, flag] of Object.entries(FLAGGED_MEMBERS)) {
    const value = values.get(name);
    if (value === undefined || flags.includes(flag)) continue;
    // Models that think adaptively only are told the effort without a flag, but take no format.
    const isEffort = name === "output_config" && thinkingOf(model) === "adaptive";
    replaced.push([name, isEffort ? withoutMember(body, value, "format") : null]);
  }
  return replaced;
}

type Conversion = { readonly value: string | null; readonly warning: string | null };
const AS_IT_IS: Conversion = { value: null, warning: null };

function convertThinking(body: Uint8Array, values: Values, model: string): Conversion {
  const value = values.get("thinking");
  if (value === undefined) return AS_IT_IS;
  const asked = readText(body, readMembers(body, value, ["type"]).get("type"));
  const taken = thinkingOf(model);
  if (asked === "enabled" && taken === "adaptive") {
    return { value: JSON.stringify({ type: "adaptive" }), warning: null };
  }
  if (asked !== "adaptive" || taken !== "budget") return AS_IT_IS;
  const maxTokens = numberIn(body, values.get("max_tokens"));
  if (maxTokens === null || maxTokens <= 0) {
    return { value: null, warning: "adaptive thinking is kept: max_tokens is missing" };
  }
  const config = values.get("output_config");
  const effort = config && readText(body, readMembers(body, config, ["effort"]).get("effort"));
  const percent = BUDGET_PERCENTS.get(effort ?? "") ?? BUDGET_PERCENT_DEFAULT;
  const budget = Math.floor((maxTokens * percent) / 100);
  const converted =
    budget < BUDGET_TOKENS_MIN ? { type: "disabled" } : { type: "enabled", budget_tokens: budget };
  return { value: JSON.stringify(converted), warning: null };
}

/** `"name":value` each, as it is or with another value. Of replaced ones that are there twice, the last. */
function keptMembers(
  body: Uint8Array,
  members: readonly NamedMember[],
  replaced: ReadonlyMap<string, string | null>,
): Uint8Array[] {
  const lastAt = new Map(members.map(({ name }, index) => [name, index]));
  return members.flatMap(({ name, key, value }, index) => {
    const replacement = name === null ? undefined : replaced.get(name);
    if (replacement === undefined) return [body.subarray(key.start, value.end)];
    if (replacement === null || lastAt.get(name) !== index) return [];
    return [encode(`${JSON.stringify(name)}:${replacement}`)];
  });
}

/** The object's text without one member. Null: nothing else was in it. */
function withoutMember(body: Uint8Array, object: Slice, name: string): string | null {
  const members = listMembers(body, object).filter((member) => member.name !== name);
  if (members.length === 0) return null;
  const texts = members.map(({ key, value }) => decode(body.subarray(key.start, value.end)));
  return `{${texts.join(",")}}`;
}

function textsIn(body: Uint8Array, list: Slice | undefined): readonly string[] {
  if (list === undefined) return [];
  return listElements(body, list).flatMap((element) => readText(body, element) ?? []);
}

function numberIn(body: Uint8Array, slice: Slice | undefined): number | null {
  if (slice === undefined) return null;
  const value = Number(decode(body.subarray(slice.start, slice.end)));
  return Number.isFinite(value) ? value : null;
}

function wholeOf(body: Uint8Array): Slice {
  return { start: Math.max(0, body.indexOf(OPEN_BRACE)), end: body.length };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all: Uint8Array[] = [OPEN];
  for (const [index, part] of parts.entries()) all.push(...(index === 0 ? [part] : [COMMA, part]));
  return Buffer.concat([...all, CLOSE]);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

const OPEN_BRACE = 0x7b;
const OPEN = encode("{");
const CLOSE = encode("}");
const COMMA = encode(",");
