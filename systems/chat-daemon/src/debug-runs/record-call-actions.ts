/** One call of a model, recorded where somebody wants it. Its outcome is the call's own. */
import type { ChatError } from "@atelier/contract/chat/chat-words";
import type { DebugAnswer, DebugCall, DebugRecorder, HttpTap } from "./debug-recorder.ts";

/** `tap`: of the client that makes the call. Null: it is not recorded. */
export async function recordCall<Value>(
  recorder: DebugRecorder,
  tap: HttpTap | null,
  recorded: {
    readonly call: () => DebugCall;
    readonly work: () => Promise<Value>;
    readonly answerOf: (value: Value) => DebugAnswer;
    readonly errorOf: (error: unknown) => ChatError;
    /** Of whoever wants the answer. */
    readonly signal: AbortSignal;
  },
): Promise<Value> {
  const { call, work, answerOf, errorOf, signal } = recorded;
  if (tap === null) return work();
  const end = recorder.begin(tap, call);
  try {
    const value = await work();
    end(() => ({ kind: "answered", answer: answerOf(value) }));
    return value;
  } catch (error) {
    end(() =>
      signal.aborted ? { kind: "interrupted" } : { kind: "failed", error: errorOf(error) },
    );
    throw error;
  }
}
