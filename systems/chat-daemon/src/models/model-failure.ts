/** Why a model cannot be called, known before anything is sent. Never worth a retry. */
import type { ChatErrorKind } from "@atelier/contract/chat/chat-words";

export type ModelFailure = {
  readonly kind: ChatErrorKind;
  readonly message: string;
  readonly detail?: string;
  readonly retryable: false;
};

export function routeFailure(kind: ChatErrorKind, message: string, detail?: string): ModelFailure {
  return { kind, message, retryable: false, ...(detail === undefined ? {} : { detail }) };
}
