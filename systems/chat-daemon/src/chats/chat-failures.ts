/** What the machine refuses, as the failures that clients see. */
import type { Failure, FailureCode } from "@atelier/contract/failures";
import type { TransitionFailure } from "../state/chat-machine.ts";
import type { ExecutionState } from "../state/execution-state.ts";

export type ChatFailure = Failure<
  "request.invalid" | "resource.not_found" | "chat.state_conflict" | "chat.queue_full"
>;

export function toFailure(failure: TransitionFailure): ChatFailure {
  switch (failure.kind) {
    case "chat_not_found":
    case "message_not_found":
      return { code: "resource.not_found" };
    case "message_not_editable":
      return invalid("message", "Only messages of users can be edited.");
    case "queue_full":
      return { code: "chat.queue_full", detail: `At most ${failure.max} messages wait.` };
    case "results_mismatch":
      return invalid("results", failure.detail);
    case "files_refused":
      return invalid("content", failure.detail);
    case "nothing_to_do":
      return { code: "chat.state_conflict", detail: "There is nothing that this would change." };
    case "other_turn":
      return {
        code: "chat.state_conflict",
        detail: "The chat answers another message by now. Nothing was stopped.",
      };
    case "parent_archived":
      return { code: "chat.state_conflict", detail: "The chat that it belongs to is archived." };
    case "family_busy":
      return {
        code: "chat.state_conflict",
        detail: "It, or a chat that belongs to it, is working.",
      };
    case "refused":
      return { code: "chat.state_conflict", detail: `The chat is ${WORDS[failure.from]}.` };
  }
}

/** For list endpoints and the like, which cannot meet a full queue. */
export function withoutQueueFull<Code extends FailureCode>(
  failure: Failure<Code>,
): Failure<Exclude<Code, "chat.queue_full"> | "chat.state_conflict"> {
  const { code, ...rest } = failure;
  if (code === "chat.queue_full") return { ...rest, code: "chat.state_conflict" };
  return { ...rest, code: code as Exclude<Code, "chat.queue_full"> }; // As was just seen.
}

export function noSuchToolServer(): Failure<"request.invalid"> {
  return invalid("mcp_server_ids", "There is no such tool server, or it is disabled.");
}

export function invalid(field: string, detail: string): Failure<"request.invalid"> {
  return { code: "request.invalid", validations: [{ field, detail }] };
}

const WORDS: Readonly<Record<ExecutionState, string>> = {
  W: "waiting for a message",
  E0: "stopped by an error",
  E1: "stopped by an error, with messages in its queue",
  R0: "working",
  R1: "working, with messages in its queue",
  I0: "about to stop",
  I1: "about to stop, with messages in its queue",
  A0: "waiting for results of the client's tools",
  A1: "waiting for results of the client's tools, with messages in its queue",
  XW: "archived",
  XE0: "archived",
  XE1: "archived",
  invalid: "in an impossible state: reconcile it",
};
