/**
 * Runs the calls of one answer side by side and gives their results in the order of the calls (spec
 * agents 5.7). Nothing that a tool does wrong leaves this: it becomes that call's result. A database that is
 * away is nothing that a tool does wrong: the call is made again, as the same one.
 */
import type { Logger } from "@atelier/base/logger";
import type {
  ToolCallPart,
  ToolResultPart,
  MessagePart,
} from "@atelier/contract/chat/message-part";
import { z } from "zod";
import { hashOf } from "../messages/canonical-json.ts";
import { toValidJson } from "../messages/valid-text.ts";
import { refusedCalls, type BatchCall } from "./batch-policy.ts";
import { truncateJson, truncateText } from "./result-truncation.ts";
import type { ChatTool, ToolContext, ToolOutcome } from "./tool.ts";
import { toolNameOf } from "./tool-availability.ts";

/** What a chat's model may call in a turn. */
export type ToolSet = {
  /** All there are, active or not. */
  readonly tools: ReadonlyMap<string, ChatTool>;
  readonly active: ReadonlySet<string>;
  /** Names of tools that the client runs. */
  readonly dynamicNames: ReadonlySet<string>;
};

export type BatchDeps = Omit<ToolContext, "toolCallId" | "callId" | "effect" | "publish"> & {
  readonly log: Logger;
  readonly resultBytesMax: number;
  /** Of the answer that holds the calls. */
  readonly messageId: number;
  isDatabaseAway(error: unknown): boolean;
  /** Told of the model beside the result; null: nothing. */
  notice(call: ToolCallPart): string | null;
  publish(part: MessagePart): void;
  started(toolCallId: string): void;
  completed(toolCallId: string): void;
};

export type CallResult = {
  readonly result: ToolResultPart;
  /** Stored while the tool ran, for people to see. */
  readonly files: readonly MessagePart[];
};

/** Null: somebody else runs the chat by now. */
export async function runToolBatch(
  set: ToolSet,
  calls: readonly ToolCallPart[],
  deps: BatchDeps,
): Promise<readonly CallResult[] | null> {
  const named = calls.map((part) => ({
    part,
    toolCallId: part.tool_call_id,
    toolName: toolNameOf(part.tool_name),
  }));
  const exclusive = [...set.tools.values()].filter((tool) => tool.isExclusive === true);
  const refused = refusedCalls(named, new Set(exclusive.map(({ name }) => name)));
  const outcomes = await Promise.all(
    named.map(async (call) => {
      const refusal = refused.get(call);
      if (refusal !== undefined) return { kind: "error", message: refusal } as const;
      deps.started(call.toolCallId);
      const outcome = await outcomeOf(set, call, deps);
      deps.completed(call.toolCallId);
      return outcome;
    }),
  );
  // What was cut off tells nothing; whoever cut it off decides what becomes of the calls.
  deps.signal.throwIfAborted();
  if (outcomes.some(({ kind }) => kind === "stale")) return null;
  return named.map(({ part }, index) => {
    const outcome = outcomes[index] ?? { kind: "error", message: "The tool did not run." };
    return toCallResult(part, outcome, deps);
  });
}

async function outcomeOf(
  set: ToolSet,
  call: BatchCall & { readonly part: ToolCallPart },
  deps: BatchDeps,
): Promise<ToolOutcome> {
  const { toolName } = call;
  const tool = set.tools.get(toolName);
  if (tool === undefined) {
    return { kind: "error", message: `Tool not found: ${call.part.tool_name}` };
  }
  if (!set.active.has(toolName)) {
    return { kind: "error", message: `Tool not active in this turn: ${toolName}` };
  }
  const input = tool.input.safeParse(call.part.args);
  if (!input.success) {
    return { kind: "error", message: `Invalid input:\n${z.prettifyError(input.error)}` };
  }
  const context = callContext(call.part, deps);
  for (let delayMs = AGAIN_MS; ; delayMs = Math.min(delayMs * 2, AGAIN_MS_MAX)) {
    try {
      return await tool.run(input.data, context);
    } catch (error) {
      deps.signal.throwIfAborted();
      if (!deps.isDatabaseAway(error)) {
        deps.log.error({ err: error, tool: toolName, chatId: deps.chat.id }, "a tool threw");
        return { kind: "error", message: "The tool failed unexpectedly." };
      }
    }
    // What it did may be there: to say that it failed would be wrong. A chat that is lost meanwhile cuts it off.
    await deps.clock.sleep(delayMs, deps.signal);
  }
}

const AGAIN_MS = 250;
const AGAIN_MS_MAX = 2_000;

/** Calls are told apart by the answer they belong to: some providers count ids from 0 in each. */
export function callContext(
  call: ToolCallPart,
  deps: Omit<
    BatchDeps,
    "notice" | "log" | "resultBytesMax" | "started" | "completed" | "isDatabaseAway"
  >,
): ToolContext {
  const { chat } = deps;
  const own = `${deps.messageId}:${call.tool_call_id}`;
  const callId = own.length <= CALL_ID_MAX ? own : `${deps.messageId}:${hashOf(call.tool_call_id)}`;
  const effect = { chatId: chat.id, callId, inputHash: hashOf(call.args), fence: chat.fence };
  const { clock, random, signal, publish } = deps;
  const toolCallId = call.tool_call_id;
  return {
    chat,
    toolCallId,
    callId,
    effect,
    clock,
    random,
    signal,
    publish,
    workspace: deps.workspace,
  };
}

/** Together with a chat's id it names groups of processes, which are no longer than 128. */
const CALL_ID_MAX = 90;

function toCallResult(call: ToolCallPart, outcome: ToolOutcome, deps: BatchDeps): CallResult {
  const about = {
    ...{ type: "tool-result" as const, tool_call_id: call.tool_call_id, tool_name: call.tool_name },
    ...(call.mcp_server_config_id !== undefined && {
      mcp_server_config_id: call.mcp_server_config_id,
    }),
    created_at: deps.clock.now().toISOString(),
  };
  const files = "files" in outcome ? (outcome.files ?? []) : [];
  const shape = resultOf(outcome, deps.resultBytesMax);
  return { result: toValidJson({ ...about, ...withNotice(shape, deps.notice(call)) }), files };
}

type ResultShape = Pick<ToolResultPart, "result" | "is_error" | "is_media">;

function resultOf(outcome: ToolOutcome, bytesMax: number): ResultShape {
  switch (outcome.kind) {
    case "json":
      return { result: truncateJson(outcome.value, bytesMax) };
    case "text":
      return { result: truncateText(outcome.text, bytesMax) };
    case "error":
      return { result: { error: truncateText(outcome.message, bytesMax) }, is_error: true };
    case "media": {
      const { data, mediaType: media_type, text } = outcome;
      return { result: { data, media_type, ...(text !== undefined && { text }) }, is_media: true };
    }
    case "stale":
      return { result: { error: "Somebody else runs this chat." }, is_error: true };
  }
}

function withNotice(shape: ResultShape, notice: string | null): ResultShape {
  if (notice === null) return shape;
  const { result } = shape;
  if (typeof result === "string") return { ...shape, result: `${result}\n\n${notice}` };
  if (typeof result === "object" && result !== null && !Array.isArray(result)) {
    return { ...shape, result: { ...result, notice } };
  }
  return { ...shape, result: { result, notice } };
}
