/** Interceptions as the gateway reports them, for tests that care about some of their fields only. */
import { randomUUID } from "node:crypto";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";

export const ANN = "0000000a-0000-4000-8000-000000000000";
export const STARTED = new Date("2026-11-20T10:00:00.000Z");
export const ENDED = new Date("2026-11-20T10:00:05.000Z");

export function startOf(
  changes: Partial<InterceptionStart> & { userId?: string } = {},
): InterceptionStart {
  const { userId = ANN, ...rest } = changes;
  return {
    id: randomUUID(),
    caller: { userId, username: "ann", email: "ann@example.com", apiKeyId: "key1" },
    provider: { type: "anthropic", name: "claude" },
    model: "claude-sonnet",
    client: "Claude Code",
    clientSessionId: null,
    userAgent: "claude-cli/2",
    correlatingToolCallId: null,
    credentialKind: "centralized",
    credentialHint: "",
    startedAt: STARTED,
    ...rest,
  };
}

export function endOf(
  start: InterceptionStart,
  changes: Partial<InterceptionEnd> = {},
): InterceptionEnd {
  return {
    id: start.id,
    startedAt: start.startedAt,
    endedAt: ENDED,
    credentialHint: "sk-a...z",
    error: null,
    tokens: [],
    prompts: [],
    toolCalls: [],
    thoughts: [],
    trail: { kind: "plain", reason: "first" },
    ...changes,
  };
}

export const tokensOf = (input: number) => ({
  responseId: "msg_1",
  input,
  output: 2,
  cacheReadInput: 3,
  cacheWriteInput: 4,
  extra: { output_reasoning: 5 },
});
export const toolCall = (toolCallId: string) => ({
  responseId: "msg_1",
  toolCallId,
  tool: "bash",
  input: '{"command":"ls"}',
});
