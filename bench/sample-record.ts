/** Records as a coding agent's requests leave them, for the benchmarks of recording. */
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";

const USERS = 50;
const PROMPT = "Please look at the failing test and mend the function that it calls. ".repeat(10);
/** The `count`th makes one of some users and sessions. */
export function sampleStart(id: string, count: number, startedAt: Date): InterceptionStart {
  const userNumber = String(count % USERS).padStart(4, "0");
  return {
    id,
    caller: {
      userId: `00000000-0000-4000-8000-00000000${userNumber}`,
      username: `user${userNumber}`,
      email: `user${userNumber}@example.com`,
      apiKeyId: `key${userNumber}`,
    },
    provider: { type: "anthropic", name: "anthropic" },
    model: "claude-sonnet",
    client: "Claude Code",
    clientSessionId: `session-${userNumber}-${count % 3}`,
    userAgent: "claude-cli/2.1.0 (external, cli)",
    correlatingToolCallId: null,
    credentialKind: "centralized",
    credentialHint: "",
    startedAt,
  };
}

export function sampleEnd(
  { id, startedAt }: InterceptionStart,
  count: number,
  endedAt: Date,
): InterceptionEnd {
  return {
    id,
    startedAt,
    endedAt,
    credentialHint: "sk-a...wxyz",
    error: null,
    tokens: [
      {
        responseId: `msg_${id}`,
        input: 1_200,
        output: 300,
        cacheReadInput: 9_000,
        cacheWriteInput: 100,
        extra: {},
      },
    ],
    prompts: [{ responseId: `msg_${id}`, prompt: PROMPT }],
    toolCalls:
      count % 2 === 0
        ? []
        : [
            {
              responseId: `msg_${id}`,
              toolCallId: `toolu_${id}`,
              tool: "bash",
              input: '{"command":"npm test"}',
            },
          ],
    thoughts: [],
    trail: { kind: "plain", reason: "first" },
  };
}
