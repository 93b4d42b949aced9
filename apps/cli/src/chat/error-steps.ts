/** Why a turn ended in an error, and what the person can do about it. */
import type { ChatError, ChatErrorKind } from "@atelier/contract/chat/chat-words";
import { terminalSafe } from "../output/terminal-safe.ts";

const STEPS: Readonly<Record<ChatErrorKind, string>> = {
  generic: "Send a message to go on, or try another model with --model.",
  overloaded: "Wait some minutes and send a message to go on, or use another model.",
  rate_limit: "Wait some minutes and send a message to go on, or use another model.",
  timeout: "Send a message to go on.",
  stream_silence_timeout: "The model stopped in the middle. Send a message to go on.",
  auth: "The provider refuses the key: see `atelier ai keys list`, or ask an administrator.",
  config: "Ask an administrator to look at the model's settings, or use another model.",
  usage_limit: "Wait until the limit is renewed, or use another model.",
  missing_key: "Add a key of your own with `atelier ai keys set`, or use another model.",
  provider_disabled: "Use another model, or ask an administrator to enable the provider.",
  content_filter: "Say it in another way: `atelier chat edit` takes the message back.",
};

/** Lines, the first without the word Error. */
export function errorLines(error: ChatError): readonly string[] {
  const { message, detail, kind = "generic", provider, status_code: status } = error;
  const about = [kind, provider, status].filter((each) => each !== undefined).join(", ");
  return [
    `${terminalSafe(message)} (${terminalSafe(about)})`,
    ...(detail === undefined || detail === message ? [] : [`  ${terminalSafe(detail)}`]),
    `  ${STEPS[kind]}`,
  ];
}
