/**
 * What a runner has done for its chat, as functions that it is given. Each runs beside everything else
 * and may be cut off at any moment: all it does to the chat goes through the machine, fenced.
 */
import type { ChatStatus } from "@atelier/contract/chat/chat-words";
import type { ChatMachine, HeadStart, ReadChat, TakenChat } from "../state/chat-machine.ts";

/** Fits wherever a `ChatFence` is asked for. */
export type RunnerTaskContext = {
  readonly chatId: string;
  readonly workerId: string;
  readonly runnerId: string;
  /** Grows with every change of who runs the chat: workspaces refuse a smaller one. */
  readonly fence: number;
  /** The chat as the task found it. It has nothing to do where the chat is not so any more. */
  readonly historyVersion: number;
  readonly status: ChatStatus;
  readonly machine: ChatMachine;
  /** What was read when the chat was taken, where nobody had it yet and the task is about just that. */
  readonly takeRead: () => TakenChat | null;
  /** Aborted when the chat has moved on, or the runner stops. */
  readonly signal: AbortSignal;
};

/**
 * Resolves when there is nothing more to do: done, stale, cut off, or the chat is gone. What rejects is
 * repeated with growing pauses for as long as the chat is as it was.
 */
export type RunnerTask = (context: RunnerTaskContext) => Promise<void>;

export type RunnerTasks = {
  /** The chat runs: one step of its turn. */
  readonly runGeneration: RunnerTask;
  /** Work was cut off: keep what there is of it, and finish. */
  readonly runInterrupt: RunnerTask;
  /** Of a chat whose newest messages are on their way to the disk. Absent: there is none. Must not throw. */
  readonly headStart?: (foreseen: ReadChat) => HeadStart;
};
