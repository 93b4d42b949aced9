/**
 * Records what models are sent and answer, for those who look into what a chat did (spec agents 9.5). It
 * never fails, and nobody waits for it: what cannot be written in time is dropped, and counted.
 */
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import type { ChatError } from "@atelier/contract/chat/chat-words";
import type { DebugOperation, DebugRunKind } from "@atelier/contract/http/chat-debug";
import type { ChatUsage } from "@atelier/contract/http/chats";
import type { Secret } from "@atelier/base/secret";
import type { z } from "zod";
import type { SeenRequest } from "./seen-request.ts";

/** Looks on at the HTTP of one model client. */
export interface HttpTap {
  /** `known`: credentials that the client may send. */
  recordHttp(fetch: ModelFetch, known: readonly Secret[]): ModelFetch;
  /** Requests since it was last asked. */
  take(): readonly SeenRequest[];
  /** Credentials that went by, and those that it was told of: they must be written nowhere. */
  readonly credentials: ReadonlySet<string>;
}

export type DebugCall = {
  readonly chat: {
    readonly id: string;
    readonly rootChatId: string | null;
    readonly parentChatId: string | null;
  };
  readonly kind: DebugRunKind;
  /** Calls with the same kind and key are one run, on whichever server they are made. Null: a run of its own. */
  readonly runKey: string | null;
  /** Within the run: tries of one answer are one step. */
  readonly stepKey: string;
  /** How the message that it answers begins, or what else people know it by. */
  readonly title: string;
  readonly operation: DebugOperation;
  readonly provider: string;
  readonly model: string;
  readonly modelConfigId: string | null;
  readonly triggerMessageId: number | null;
  readonly historyTipMessageId: number | null;
  /** As JSON once it is written: nobody may change it. */
  readonly request: unknown;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
};

export type DebugAnswer = {
  readonly response: unknown;
  readonly usage: z.output<typeof ChatUsage> | null;
};

export type DebugCallEnd =
  | { readonly kind: "answered"; readonly answer: DebugAnswer }
  | { readonly kind: "failed"; readonly error: ChatError }
  /** Somebody ended it who did not want it any more. */
  | { readonly kind: "interrupted" };

export type DebugTurnEnd = "completed" | "error" | "interrupted";

export interface DebugRecorder {
  /** The result is called once, when the call is over. */
  begin(tap: HttpTap, call: () => DebugCall): (end: () => DebugCallEnd) => void;
  /** The chat's turn is over, and with it the run of this server. */
  turnEnded(chatId: string, end: DebugTurnEnd): void;
}

export const NO_RECORDER: DebugRecorder = { begin: () => () => {}, turnEnded: () => {} };
