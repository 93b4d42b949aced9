/** What the rest of chats asks of models: which one serves, how it is reached, and a client for it. */
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { Result } from "@atelier/base/result";
import type { ModelOverrideContext } from "@atelier/contract/http/chat-models";
import type { ModelClient } from "./model-client.ts";
import type { ModelConfig } from "./model-config.ts";
import type { ModelFailure } from "./model-failure.ts";
import type {
  ModelBuildOptions,
  ModelClientRequest,
  ResolvedModelRoute,
  RoutedModel,
} from "./model-route.ts";
import type { ProviderKeys } from "./provider-keys.ts";
import type { ComputerUseProvider } from "./provider-names.ts";
import type { StoredModels } from "./stored-models.ts";

/** For whom: whose keys serve, and whose models there are. */
export type ModelUser = { readonly ownerId: string; readonly organizationId: string };

/** A model that serves, and what was chosen with it. */
export type ChosenModel = {
  readonly config: ModelConfig;
  /** As chosen, before it is clamped to what the model allows. Null: the usual one. */
  readonly effort: ReasoningEffort | null;
  readonly route: ResolvedModelRoute;
};

export type ComputerUseModel = {
  readonly modelName: string;
  readonly route: ResolvedModelRoute;
};

export type OverrideChoice =
  /** Nobody chose a model for this work. */
  | { readonly kind: "unset" }
  | { readonly kind: "model"; readonly model: ChosenModel }
  /** One was chosen, and cannot be used. What that means is the caller's to say. */
  | { readonly kind: "unusable"; readonly failure: ModelFailure };

/** What becomes of a failure: the work stops with it, or the choice counts as unusable. */
export type FailureMode = "hard" | "soft";

export type OverrideModes = {
  /** The choice could not be read. */
  readonly query: FailureMode;
  /** The chosen model is gone, disabled, or nobody has a key for it. */
  readonly config: FailureMode;
  /** Its provider or credentials could not be had. */
  readonly provider: FailureMode;
};

/** Spec agents 8.10. */
export const SUBAGENT_MODES: OverrideModes = { query: "hard", config: "soft", provider: "soft" };
export const TITLE_MODES: OverrideModes = { query: "soft", config: "soft", provider: "soft" };
export const COMPACTION_MODES: OverrideModes = { query: "hard", config: "soft", provider: "hard" };
export const ADVISOR_MODES: OverrideModes = { query: "soft", config: "soft", provider: "soft" };

export interface ModelRouter {
  /** The chat's own model, or its organization's default where that cannot be used. */
  modelOfChat(
    user: ModelUser,
    chosen: { readonly modelConfigId: string; readonly effort: ReasoningEffort | null },
    /** What was just read. Without it, it is read now. */
    stored?: StoredModels,
  ): Promise<Result<ChosenModel, ModelFailure>>;
  /** For a chat that begins without a choice: the person's own, or the organization's default. */
  modelForNewChat(user: ModelUser): Promise<Result<ModelConfig, ModelFailure>>;
  /** For work beside the chat's own model. */
  override(
    user: ModelUser,
    context: ModelOverrideContext,
    modes: OverrideModes,
    stored?: StoredModels,
  ): Promise<Result<OverrideChoice, ModelFailure>>;
  /** Refuses where there is no key for it. */
  computerUse(
    ownerId: string,
    provider: ComputerUseProvider,
  ): Promise<Result<ComputerUseModel, ModelFailure>>;
  routeForConfig(
    ownerId: string,
    config: RoutedModel,
    fallbackKeys?: ProviderKeys,
  ): Promise<Result<ResolvedModelRoute, ModelFailure>>;
  routeForProviderType(
    ownerId: string,
    type: string,
  ): Promise<Result<ResolvedModelRoute, ModelFailure>>;
  /**
   * The same way to a light model, for short texts beside a chat of this one: of the same provider, and
   * one that is configured. Null: there is none. Models that nobody configured are never asked.
   */
  lightModel(own: ChosenModel): Promise<ChosenModel | null>;
  newModel(
    request: Omit<ModelClientRequest, "userAgent">,
    route: ResolvedModelRoute,
    options: ModelBuildOptions,
  ): Promise<Result<ModelClient, ModelFailure>>;
}
