/** Which model a message is for: what can be chosen, what was chosen last, and why there may be nothing. */
import type { CallAnswer } from "@atelier/contract/client";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type {
  ChatModel,
  ChatModelProvider,
  listChatModels,
  ModelUnavailableReason,
} from "@atelier/contract/http/chat-models";

export type ChatModels = CallAnswer<typeof listChatModels>;

/** `effort` empty: the model's usual one. */
export type ModelChoice = {
  readonly modelConfigId: string;
  readonly effort: ReasoningEffort | "";
};

export type ModelGroup = { readonly provider: string; readonly models: readonly ChatModel[] };

export function modelName({ display_name: name, model }: ChatModel): string {
  return name === "" ? model : name;
}

export function usableModels({ models }: ChatModels): readonly ChatModel[] {
  return models.filter(({ available, enabled }) => available && enabled);
}

/** Those that can be used, by provider, in the order in which the server lists them. */
export function modelGroups(answer: ChatModels): readonly ModelGroup[] {
  const names = new Map(answer.providers.map((each) => [each.id, providerName(each)]));
  const nameOf = ({ ai_provider_id: id, provider }: ChatModel): string =>
    (id === null ? undefined : names.get(id)) ?? provider;
  return [...Map.groupBy(usableModels(answer), nameOf)].map(([provider, models]) => ({
    provider,
    models,
  }));
}

function providerName({ display_name: displayName, name }: ChatModelProvider): string {
  return displayName === "" ? name : displayName;
}

/** The one wanted if it can be used, else the usual one, else the first. Undefined: there is none. */
export function chosenModel(answer: ChatModels, wanted: string): ChatModel | undefined {
  const usable = usableModels(answer);
  return (
    usable.find(({ id }) => id === wanted) ??
    usable.find(({ is_default: isDefault }) => isDefault) ??
    usable[0]
  );
}

/** The wish as far as the model can follow it. */
export function effortFor(model: ChatModel, wanted: string): ReasoningEffort | "" {
  return model.reasoning_efforts.find((each) => each === wanted) ?? "";
}

const EFFORT_WORDS: Readonly<Record<ReasoningEffort, string>> = {
  none: "None",
  minimal: "Minimal",
  low: "Low",
  medium: "Medium",
  high: "High",
  xhigh: "Very high",
  max: "Most",
};

/** Empty where there is nothing to choose. */
export function effortChoices(
  model: ChatModel,
): readonly { readonly value: string; readonly label: string }[] {
  const { reasoning_efforts: efforts, default_reasoning_effort: usual } = model;
  if (efforts.length === 0) return [];
  const usualWords = usual === undefined ? "Usual" : `Usual (${EFFORT_WORDS[usual].toLowerCase()})`;
  return [
    { value: "", label: usualWords },
    ...efforts.map((value) => ({ value, label: EFFORT_WORDS[value] })),
  ];
}

export type NoModel = {
  readonly words: string;
  /** Where it is mended; absent: by somebody else. */
  readonly link?: { readonly to: string; readonly verb: string };
};

const UNAVAILABLE_WORDS: Readonly<Record<ModelUnavailableReason, string>> = {
  user_api_key_required: "The provider takes keys of your own, and you have not added one.",
  missing_api_key: "The provider has no key.",
  provider_disabled: "The provider is switched off.",
  fetch_failed: "Whether the provider has a key could not be found out. Try again in a moment.",
};

/** Why nobody can be asked. Null: there is a model. */
export function whyNoModel(
  answer: ChatModels,
  may: { readonly changeModels: boolean; readonly changeProviders: boolean },
): NoModel | null {
  if (usableModels(answer).length > 0) return null;
  const enabled = answer.models.filter(({ enabled: isEnabled }) => isEnabled);
  const [reason] = reasonsOf(enabled);
  if (reason === undefined) return noneAdded(answer, may);
  const words = UNAVAILABLE_WORDS[reason];
  if (reason === "user_api_key_required") {
    return { words, link: { to: "/settings/provider-keys", verb: "Add a key of your own" } };
  }
  if (reason === "fetch_failed") return { words };
  return may.changeProviders
    ? { words, link: { to: "/ai/settings/providers", verb: "Go to the providers" } }
    : { words: `${words} Ask an administrator to mend that.` };
}

/** What the person can do by themselves comes first. */
function reasonsOf(models: readonly ChatModel[]): readonly ModelUnavailableReason[] {
  const reasons = models.flatMap(({ unavailable_reason: reason }) => reason ?? []);
  return reasons.toSorted(
    (a, b) => Number(b === "user_api_key_required") - Number(a === "user_api_key_required"),
  );
}

function noneAdded(
  { providers }: ChatModels,
  may: { readonly changeModels: boolean; readonly changeProviders: boolean },
): NoModel {
  if (providers.length === 0 && may.changeProviders) {
    return {
      words: "Agents need a model, and a model needs a provider. There is none yet.",
      link: { to: "/ai/settings/providers/new", verb: "Add a model provider" },
    };
  }
  return may.changeModels
    ? {
        words: "No model has been added for chats yet.",
        link: { to: CHAT_MODELS_PATH, verb: "Add a model" },
      }
    : { words: "No model has been added for chats yet. Ask an administrator to add one." };
}

/** The page on which administrators add models for chats. */
export const CHAT_MODELS_PATH = "/ai/settings/models";
