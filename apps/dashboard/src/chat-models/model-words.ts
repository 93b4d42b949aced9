/** Models for chats in words: whether one can be used and what helps, and the work that has a model of its own. */
import type {
  ModelOverrideContext,
  ModelUnavailableReason,
  UserModelOverrideContext,
  UserModelOverrideMode,
} from "@atelier/contract/http/chat-models";
import type { StateWords } from "../gateway/provider-state.ts";
import type { ChatModelView, ChatProviderView } from "./model-values.ts";

type Obstacle = { readonly words: string; readonly remedy: string };

export const OBSTACLES: Readonly<Record<ModelUnavailableReason, Obstacle>> = {
  user_api_key_required: {
    words: "needs a key",
    remedy:
      "There is no key of the company’s, and none of yours. Add one to the provider, or bring your own.",
  },
  missing_api_key: {
    words: "no key",
    remedy: "There is no key that serves. Add the company’s to the provider.",
  },
  provider_disabled: {
    words: "provider is off",
    remedy: "Its provider is switched off or deleted. Switch it on, or give the model another one.",
  },
  fetch_failed: {
    words: "not known",
    remedy: "Whether there is a key could not be found out just now. Look again.",
  },
};

export function nameOfModel({
  display_name: displayName,
  model,
}: Pick<ChatModelView, "display_name" | "model">): string {
  return displayName === "" ? model : displayName;
}

export function modelState(model: ChatModelView): StateWords {
  if (!model.enabled) return { tone: "neutral", words: "switched off" };
  const { unavailable_reason: reason } = model;
  if (reason === undefined) return { tone: "good", words: "usable" };
  return { tone: "bad", words: OBSTACLES[reason].words };
}

export function standingOfProvider(provider: ChatProviderView): StateWords {
  const { unavailable_reason: reason } = provider;
  if (reason === "provider_disabled") return { tone: "neutral", words: "switched off" };
  if (reason !== undefined) return { tone: "bad", words: OBSTACLES[reason].words };
  return provider.warnings.length > 0
    ? { tone: "warn", words: "usable, but" }
    : { tone: "good", words: "usable" };
}

/** Whose key serves whoever looks. */
export function keySource(provider: ChatProviderView): string {
  if (provider.has_user_api_key && provider.has_effective_api_key) return "your own key";
  if (provider.has_api_key) return "the company’s key";
  return "no key";
}

/** 200k context, summed up at 70 %. */
export function contextText({
  context_limit: limit,
  compression_threshold: threshold,
}: Pick<ChatModelView, "context_limit" | "compression_threshold">): string {
  const size = limit >= 1_000 ? `${Number((limit / 1_000).toFixed(1))}k` : String(limit);
  return threshold >= 100 ? size : `${size}, summed up at ${threshold} %`;
}

export function effortText(model: ChatModelView): string {
  const { default_reasoning_effort: usual, reasoning_efforts: efforts } = model;
  if (usual === undefined) return "no choice";
  return `${usual}, up to ${efforts.at(-1) ?? usual}`;
}

type Work = {
  readonly title: string;
  readonly about: string;
  /** What serves where nobody chose. */
  readonly usual: string;
  /** What happens where the chosen one cannot be used. */
  readonly otherwise: string;
};

/** As the chat daemon resolves each: systems/chat-daemon/src/models/model-router.ts. */
export const OVERRIDDEN_WORK: Readonly<Record<ModelOverrideContext, Work>> = {
  general: {
    title: "Subagents that work",
    about: "Chats that a chat starts to get a part of its work done.",
    usual: "the starting chat’s model",
    otherwise: "They work with the starting chat’s model.",
  },
  explore: {
    title: "Subagents that explore",
    about: "They read and search, and change nothing: a small, fast model often does.",
    usual: "the starting chat’s model",
    otherwise: "They work with the starting chat’s model.",
  },
  title_generation: {
    title: "Titles and labels",
    about: "Short texts that name a chat, and say what it is doing.",
    usual: "the chat’s own model",
    otherwise: "Chats stay without new titles and labels.",
  },
  compaction: {
    title: "Summaries",
    about: "Sums up older history when the context fills up.",
    usual: "the chat’s own model",
    otherwise:
      "The chat’s own model sums up. When only its credentials cannot be had, the turn stops and says so.",
  },
  advisor: {
    title: "Advisor",
    about: "A second model that chats may ask, where agents’ settings allow it.",
    usual: "the chat’s own model",
    otherwise: "The chat’s own model advises.",
  },
};

type OwnWork = Pick<Work, "title" | "about">;

export const OWN_WORK: Readonly<Record<UserModelOverrideContext, OwnWork>> = {
  root: { title: "New chats", about: "What your chats begin with where you choose nothing." },
  general: OVERRIDDEN_WORK.general,
  explore: OVERRIDDEN_WORK.explore,
};

/** What a person can choose for work: a new chat has no model of its own yet. */
export function ownModes(
  context: UserModelOverrideContext,
): readonly { readonly value: UserModelOverrideMode; readonly label: string }[] {
  const deployment = { value: "deployment_default", label: "As the deployment decides" } as const;
  const model = { value: "model", label: "One that I choose" } as const;
  return context === "root"
    ? [deployment, model]
    : [deployment, { value: "chat_default", label: "The starting chat’s model" }, model];
}
