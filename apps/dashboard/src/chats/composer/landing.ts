/** When a message that is sent now reaches the agent, in words that stand beside the button. */
import { isBusy } from "@atelier/contract/chat/chat-view";
import type { ChatStatus } from "@atelier/contract/chat/chat-words";

export type Landing = {
  /** Of Enter. */
  readonly enter: string;
  /** Of Ctrl+Enter; null: it does the same. */
  readonly now: string | null;
  /** What the button says. */
  readonly verb: string;
};

export type LandingContext = {
  /** Null: not known yet. */
  readonly status: ChatStatus | null;
  readonly queued: number;
  readonly isEditing: boolean;
};

export function landingOf({ status, queued, isEditing }: LandingContext): Landing {
  if (isEditing) {
    const enter = "Replaces the message; what came after it is dropped.";
    return { enter, now: null, verb: "Replace" };
  }
  if (status === "interrupting") {
    return { enter: "Lands when the agent has stopped.", now: null, verb: "Queue" };
  }
  if (status === "requires_action") {
    return {
      ...{ enter: `Lands after this turn${behind(queued)}.`, verb: "Queue" },
      now: "Ctrl+Enter: now, without the awaited results.",
    };
  }
  if (status !== null && isBusy(status)) {
    return {
      ...{ enter: `Lands after this turn${behind(queued)}.`, verb: "Queue" },
      now: "Ctrl+Enter: now, stops the agent.",
    };
  }
  if (queued > 0) return { enter: "Lands now, before what is queued.", now: null, verb: "Send" };
  return { enter: "Lands now.", now: null, verb: "Send" };
}

function behind(queued: number): string {
  if (queued === 0) return "";
  return queued === 1 ? ", behind one other message" : `, behind ${queued} other messages`;
}

/** What an edit drops, before it is done. */
export function droppedText({
  prompts,
  queued,
}: {
  /** What was written after the edited message. */
  readonly prompts: number;
  readonly queued: number;
}): string {
  const later =
    prompts === 0
      ? "its answer"
      : `its answer and ${prompts} later ${prompts === 1 ? "message" : "messages"} with theirs`;
  const waiting =
    queued === 0 ? "" : `, and ${queued} queued ${queued === 1 ? "message" : "messages"}`;
  return `Sending drops ${later}${waiting}. What was changed in the workspace stays.`;
}
