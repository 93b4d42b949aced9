/** Why a turn ended in an error, and the one thing to do next. */
import type { ChatError, ChatErrorKind } from "@atelier/contract/chat/chat-words";

export type ErrorStep = {
  readonly kind: "retry" | "model" | "keys" | "edit";
  readonly label: string;
};

type ErrorWords = { readonly title: string; readonly step: ErrorStep };

const RETRY: ErrorStep = { kind: "retry", label: "Go on" };
const MODEL: ErrorStep = { kind: "model", label: "Choose another model" };

const WORDS: Readonly<Record<ChatErrorKind, ErrorWords>> = {
  generic: {
    title: "The agent stopped",
    step: RETRY,
  },
  overloaded: {
    title: "The provider is overloaded",
    step: RETRY,
  },
  rate_limit: {
    title: "The provider allows no more for now",
    step: MODEL,
  },
  timeout: {
    title: "The provider did not answer in time",
    step: RETRY,
  },
  stream_silence_timeout: {
    title: "The model fell silent",
    step: RETRY,
  },
  auth: {
    title: "The provider refuses the key",
    step: { kind: "keys", label: "Look at your keys" },
  },
  config: {
    title: "The model cannot be asked this way",
    step: MODEL,
  },
  usage_limit: {
    title: "The limit of use is reached",
    step: MODEL,
  },
  missing_key: {
    title: "There is no key for this provider",
    step: { kind: "keys", label: "Add a key" },
  },
  provider_disabled: {
    title: "The provider is switched off",
    step: MODEL,
  },
  content_filter: {
    title: "The provider refused the content",
    step: { kind: "edit", label: "Edit the last message" },
  },
};

/** What a press on "Go on" sends. */
export const GO_ON_TEXT = "Go on.";

export function errorWords({ kind = "generic" }: Pick<ChatError, "kind">): ErrorWords {
  return WORDS[kind];
}

/** Provider and status, for whoever looks into it. */
export function errorFacts({ provider, status_code: status, kind }: ChatError): string {
  return [provider, status === undefined ? undefined : `HTTP ${status}`, kind]
    .filter((each) => each !== undefined)
    .join(" · ");
}
