/** A choice of model for certain work, in place of a chat's own. */
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type {
  ModelOverrideContext,
  UserModelOverrideContext,
  UserModelOverrideMode,
} from "@atelier/contract/http/chat-models";

export type StoredOverride = {
  readonly context: ModelOverrideContext;
  readonly modelConfigId: string;
  readonly effort: ReasoningEffort | null;
};

export type StoredUserOverride = {
  readonly context: UserModelOverrideContext;
  readonly mode: UserModelOverrideMode;
  readonly modelConfigId: string | null;
  readonly effort: ReasoningEffort | null;
};
