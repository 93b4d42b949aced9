/** What a runner does about news of its chat: pure (spec agents 2.11). */
import type { ChatStatus } from "@atelier/contract/chat/chat-words";

export type RunnerEvent = {
  readonly workerId: string | null;
  readonly runnerId: string | null;
  readonly snapshotVersion: number;
  readonly historyVersion: number;
  readonly generationAttempt: number;
  readonly archived: boolean;
  readonly status: ChatStatus;
};

export type RunnerTaskKind = "generation" | "interrupt" | "dynamic_tools_timeout" | "abandon";

/** What the runner has seen last. */
export type RunnerView = {
  readonly workerId: string;
  readonly runnerId: string;
  readonly snapshotVersion: number;
  readonly historyVersion: number;
  readonly generationAttempt: number;
  /** Null: nothing yet. */
  readonly status: ChatStatus | null;
  readonly archived: boolean;
};

export type RunnerDecision = {
  readonly view: RunnerView;
  /** `start` cuts off whatever is active. */
  readonly action:
    | { readonly kind: "none" }
    | { readonly kind: "clean_up" }
    | { readonly kind: "start"; readonly task: RunnerTaskKind };
};

export function initialView(owner: {
  readonly workerId: string;
  readonly runnerId: string;
}): RunnerView {
  const { workerId, runnerId } = owner;
  return {
    ...{ workerId, runnerId, snapshotVersion: 0, historyVersion: 0, generationAttempt: 0 },
    ...{ status: null, archived: false },
  };
}

export function decide(event: RunnerEvent, view: RunnerView): RunnerDecision {
  // Late or doubled: what it says is known, or older than what is known.
  if (event.snapshotVersion <= view.snapshotVersion) return { view, action: { kind: "none" } };
  if (event.workerId !== view.workerId || event.runnerId !== view.runnerId) {
    return { view, action: { kind: "clean_up" } };
  }
  const { snapshotVersion, historyVersion, generationAttempt, status, archived } = event;
  const seen = { ...view, snapshotVersion, historyVersion, generationAttempt, status, archived };
  const isSame =
    historyVersion === view.historyVersion && status === view.status && archived === view.archived;
  if (isSame) return { view: seen, action: { kind: "none" } };
  return { view: seen, action: { kind: "start", task: taskFor(event) } };
}

export function taskFor(chat: Pick<RunnerEvent, "archived" | "status">): RunnerTaskKind {
  if (chat.archived) return "abandon";
  switch (chat.status) {
    case "running":
      return "generation";
    case "interrupting":
      return "interrupt";
    case "requires_action":
      return "dynamic_tools_timeout";
    case "waiting":
    case "error":
      return "abandon";
  }
}
