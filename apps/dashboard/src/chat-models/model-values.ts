/** A model for chats between the texts of its form and the bodies of its endpoints. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ApiProblem, CallAnswer } from "@atelier/contract/client";
import type { listChatModels } from "@atelier/contract/http/chat-models";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import { problemOfFields } from "../forms/field-problems.ts";
import { NOT_A_NUMBER, typedNumber } from "../forms/typed-number.ts";
import {
  ALL_OPTION_FIELDS,
  COMMON_FIELDS,
  EFFORT_DEFAULT_FIELD,
  EFFORT_MAX_FIELD,
  optionGroupOf,
} from "./option-fields.ts";
import { readOption, writeOption, type OptionField } from "./option-field.ts";

export type ChatModelView = CallAnswer<typeof listChatModels>["models"][number];
export type ChatProviderView = CallAnswer<typeof listChatModels>["providers"][number];

/** Fields beside these are options, by their path. */
export type ModelTexts = Readonly<Record<string, string>>;

export const EMPTY_MODEL: ModelTexts = {
  ai_provider_id: "",
  model: "",
  display_name: "",
  context_limit: "",
  compression_threshold: "",
  enabled: "true",
  is_default: "false",
  [EFFORT_DEFAULT_FIELD]: "",
  [EFFORT_MAX_FIELD]: "",
  ...Object.fromEntries(ALL_OPTION_FIELDS.map(({ path }) => [path, ""])),
};

export function textsOfModel(model: ChatModelView): ModelTexts {
  const { options } = model;
  return {
    ...EMPTY_MODEL,
    ai_provider_id: model.ai_provider_id ?? "",
    model: model.model,
    display_name: model.display_name,
    context_limit: String(model.context_limit),
    compression_threshold: String(model.compression_threshold),
    enabled: String(model.enabled),
    is_default: String(model.is_default),
    [EFFORT_DEFAULT_FIELD]: options?.reasoning_effort?.default ?? "",
    [EFFORT_MAX_FIELD]: options?.reasoning_effort?.max ?? "",
    ...Object.fromEntries(
      ALL_OPTION_FIELDS.map((field) => [field.path, writeOption(field, valueAt(model, field))]),
    ),
  };
}

export type ModelBody = {
  readonly ai_provider_id: string;
  readonly model: string;
  readonly display_name: string;
  readonly enabled: boolean;
  readonly is_default: boolean;
  readonly context_limit: number;
  /** Absent: by the size of the context. */
  readonly compression_threshold?: number;
  readonly options: Readonly<Record<string, unknown>>;
};

/** Options of other types of provider than the model's are left out: nobody sees them in the form. */
export function modelBody(
  texts: ModelTexts,
  type: ModelProviderType,
): Result<ModelBody, ApiProblem> {
  const wrong: { field: string; detail: string }[] = [];
  const number = (field: string): number | undefined => {
    const text = (texts[field] ?? "").trim();
    if (text === "") return undefined;
    const value = typedNumber(text);
    if (value === null) wrong.push({ field, detail: NOT_A_NUMBER });
    return value ?? undefined;
  };
  const text = (field: string): string => (texts[field] ?? "").trim();
  const context = number("context_limit");
  const threshold = number("compression_threshold");
  if (text("ai_provider_id") === "") {
    wrong.push({ field: "ai_provider_id", detail: "Choose a model provider." });
  }
  if (text("model") === "") {
    wrong.push({ field: "model", detail: "The model’s name, as its provider spells it." });
  }
  if (text("context_limit") === "") {
    wrong.push({ field: "context_limit", detail: "How many tokens it takes in." });
  }
  const options = optionsOf(texts, type, wrong);
  if (wrong.length > 0) return fail(problemOfFields(wrong));
  return ok({
    ai_provider_id: text("ai_provider_id"),
    model: text("model"),
    display_name: text("display_name"),
    enabled: texts["enabled"] === "true",
    is_default: texts["is_default"] === "true",
    context_limit: context ?? 0,
    ...(threshold === undefined ? {} : { compression_threshold: threshold }),
    options,
  });
}

/** Only what differs from how the form began. */
export function modelChange(before: ModelBody, after: ModelBody): Partial<ModelBody> {
  const known: Readonly<Record<string, unknown>> = before;
  return Object.fromEntries(
    Object.entries(after).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(known[name]),
    ),
  );
}

function optionsOf(
  texts: ModelTexts,
  type: ModelProviderType,
  wrong: { field: string; detail: string }[],
): Readonly<Record<string, unknown>> {
  const body: Record<string, unknown> = {};
  for (const field of [...COMMON_FIELDS, ...(optionGroupOf(type)?.fields ?? [])]) {
    const reading = readOption(field, texts[field.path] ?? "");
    if (reading.kind === "wrong") wrong.push({ field: field.path, detail: reading.detail });
    if (reading.kind === "value") putAt(body, field.path.split("."), reading.value);
  }
  const [usual, max] = [texts[EFFORT_DEFAULT_FIELD] ?? "", texts[EFFORT_MAX_FIELD] ?? ""];
  const isHalf = (usual === "") !== (max === "");
  if (isHalf) {
    const field = usual === "" ? EFFORT_DEFAULT_FIELD : EFFORT_MAX_FIELD;
    wrong.push({ field, detail: "Both, or neither." });
  } else if (usual !== "") {
    putAt(body, ["options", "reasoning_effort"], { default: usual, max });
  }
  const { options = {} } = body;
  return options as Readonly<Record<string, unknown>>; // Every path begins with it.
}

function putAt(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = root;
  for (const name of path.slice(0, -1)) {
    const next = (at[name] ?? {}) as Record<string, unknown>; // Paths end at leaves only.
    at[name] = next;
    at = next;
  }
  at[path.at(-1) ?? ""] = value;
}

function valueAt(model: ChatModelView, { path }: OptionField): unknown {
  let at: unknown = model;
  for (const name of path.split(".")) {
    at = typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined;
  }
  return at;
}
