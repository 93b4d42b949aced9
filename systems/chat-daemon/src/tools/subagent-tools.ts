/** Tools with which a model delegates to others (spec agents 7.1, 7.2). */
import { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { Clock } from "@atelier/base/clock";
import { z } from "zod";
import {
  COMPUTER_USE_TYPE,
  SUBAGENT_TYPES,
  type Subagent,
  type Subagents,
} from "./subagent-port.ts";
import {
  defineTool,
  toolError,
  toolValue,
  type ChatTool,
  type ToolChat,
  type ToolContext,
} from "./tool.ts";

const WAIT_SECONDS = 300;
const WAIT_SECONDS_MAX = 3_600;
const POLL_MS = 5_000;
const POLL_WITHOUT_HINTS_MS = 200;
const LISTED = 10;
const LISTED_MAX = 50;

const ChatId = z.uuid().describe("As spawn_agent returned it");

export function subagentTools(subagents: Subagents): readonly ChatTool[] {
  return [
    spawnAgent(subagents),
    waitAgent(subagents),
    messageAgent(subagents),
    interruptAgent(subagents),
    listAgents(subagents),
    listSubagentModels(subagents),
  ];
}

function spawnAgent(subagents: Subagents): ChatTool {
  return defineTool({
    name: "spawn_agent",
    description:
      "Starts another agent on a task and returns at once; wait_agent brings its report. Types: general (research, review, a part of the work), explore (a quick look into the code, without changes). It knows nothing of this conversation: the prompt has to say everything.",
    input: z.object({
      type: z.string().describe(SUBAGENT_TYPES.join(" or ")),
      prompt: z.string().trim().min(1),
      title: z.string().trim().max(200).optional(),
      model_config_id: z.uuid().optional().describe("From list_subagent_models"),
      reasoning_effort: ReasoningEffort.optional(),
    }),
    run: async (input, { chat, callId }) => {
      if (chat.parentChatId !== null)
        return toolError("An agent that was started cannot start others.");
      if (input.type === COMPUTER_USE_TYPE) {
        return toolError(await whyNoComputerUse(subagents, chat, input));
      }
      const type = SUBAGENT_TYPES.find((each) => each === input.type);
      if (type === undefined) {
        return toolError(`There is no agent of type ${input.type}. ${USABLE_TYPES}`);
      }
      const spawned = await subagents.spawn(chat, {
        ...{ callId, type, prompt: input.prompt, title: input.title ?? "" },
        modelConfigId: input.model_config_id ?? null,
        reasoningEffort: input.reasoning_effort ?? null,
      });
      return spawned.ok ? toolValue(brief(spawned.value)) : toolError(spawned.failure);
    },
  });
}

const USABLE_TYPES = `Use ${SUBAGENT_TYPES.join(", ")}.`;

/** What stands in the way first, in the order in which it could be mended. */
async function whyNoComputerUse(
  subagents: Subagents,
  chat: ToolChat,
  input: {
    readonly model_config_id?: string | undefined;
    readonly reasoning_effort?: string | undefined;
  },
): Promise<string> {
  if (input.model_config_id !== undefined || input.reasoning_effort !== undefined) {
    return `An agent of type ${COMPUTER_USE_TYPE} has a model of its own: model_config_id and reasoning_effort are not for it.`;
  }
  if (chat.planMode === "plan") {
    return `There is no agent of type ${COMPUTER_USE_TYPE} while planning. ${USABLE_TYPES}`;
  }
  const model = await subagents.computerUse(chat);
  if (!model.ok) return model.failure;
  return `The workspace has no desktop, so an agent of type ${COMPUTER_USE_TYPE} has nothing to work with. ${USABLE_TYPES}`;
}

function waitAgent(subagents: Subagents): ChatTool {
  return defineTool({
    name: "wait_agent",
    description:
      "Waits until an agent is done and returns its report. When the time is over the agent goes on: wait again.",
    input: z.object({
      chat_id: ChatId,
      timeout_seconds: z.number().positive().max(WAIT_SECONDS_MAX).optional(),
    }),
    run: async ({ chat_id: chatId, timeout_seconds: seconds = WAIT_SECONDS }, context) => {
      const found = await waited(subagents, context, chatId, seconds * 1_000);
      if (found === undefined) return noAgent(chatId);
      if (!isDone(found)) return toolValue({ ...brief(found), timed_out: true });
      const { lastError, report } = found;
      if (found.status !== "error" || lastError === null)
        return toolValue({ ...brief(found), report });
      return toolValue({
        ...brief(found),
        ...{ last_error: lastError.message, last_error_kind: lastError.kind ?? "generic" },
        last_error_retryable: lastError.retryable,
        ...(lastError.detail !== undefined && { last_error_detail: lastError.detail }),
        report,
      });
    },
  });
}

function messageAgent(subagents: Subagents): ChatTool {
  return defineTool({
    name: "message_agent",
    description:
      "Sends a message to an agent that you started: it reads it when its current turn ends, or at once when interrupt is true.",
    input: z.object({
      chat_id: ChatId,
      message: z.string().trim().min(1),
      interrupt: z.boolean().optional(),
    }),
    run: async (
      { chat_id: chatId, message: text, interrupt: interrupts = false },
      { chat, callId },
    ) => {
      if ((await subagents.find(chat, chatId)) === undefined) return noAgent(chatId);
      const sent = await subagents.message(chat, chatId, { callId, text, interrupts });
      if (!sent.ok) return toolError(sent.failure);
      const found = await subagents.find(chat, chatId);
      return found === undefined
        ? noAgent(chatId)
        : toolValue({ ...brief(found), interrupted: interrupts });
    },
  });
}

function interruptAgent(subagents: Subagents): ChatTool {
  return defineTool({
    name: "interrupt_agent",
    description: "Stops what an agent is doing. It stays there: message_agent gives it other work.",
    input: z.object({ chat_id: ChatId }),
    run: async ({ chat_id: chatId }, { chat, callId }) => {
      if ((await subagents.find(chat, chatId)) === undefined) return noAgent(chatId);
      const stopped = await subagents.interrupt(chat, chatId, callId);
      if (!stopped.ok) return toolError(stopped.failure);
      const interrupted = stopped.value;
      const found = await subagents.find(chat, chatId);
      return found === undefined ? noAgent(chatId) : toolValue({ ...brief(found), interrupted });
    },
  });
}

function listAgents(subagents: Subagents): ChatTool {
  return defineTool({
    name: "list_agents",
    description: "The agents that this chat started, the most recently active first.",
    input: z.object({
      limit: z.int().min(1).max(LISTED_MAX).optional(),
      offset: z.int().min(0).optional(),
    }),
    run: async ({ limit = LISTED, offset = 0 }, { chat }) => {
      const { agents, total } = await subagents.list(chat, { limit, offset });
      return toolValue({
        ...{ agents: agents.map(brief), total, returned: agents.length, offset },
        has_more: offset + agents.length < total,
      });
    },
  });
}

function listSubagentModels(subagents: Subagents): ChatTool {
  return defineTool({
    name: "list_subagent_models",
    description: "The models that agents can be started with.",
    input: z.object({}),
    run: async (_input, { chat }) => {
      const models = await subagents.models(chat);
      return toolValue({
        models: models.map((each) => ({
          ...{ model_config_id: each.modelConfigId, display_name: each.displayName },
          ...{ model: each.model, provider: each.provider, context_limit: each.contextLimit },
          ...{ is_default: each.isDefault, reasoning_efforts: each.reasoningEfforts },
        })),
      });
    },
  });
}

/** As it is at the end: of its turn, or of the time. */
async function waited(
  subagents: Subagents,
  { chat, clock, signal }: ToolContext,
  chatId: string,
  timeoutMs: number,
): Promise<Subagent | undefined> {
  const untilMs = clock.monotonicMs() + timeoutMs;
  const hint = new Hint();
  // First the hints, then the look: what changes in between is not missed.
  using watching = subagents.watch(chatId, () => hint.give());
  for (;;) {
    const found = await subagents.find(chat, chatId);
    const leftMs = untilMs - clock.monotonicMs();
    if (found === undefined || isDone(found) || leftMs <= 0) return found;
    const pollMs = watching.isHearing() ? POLL_MS : POLL_WITHOUT_HINTS_MS;
    await hint.orAfter(clock, Math.min(pollMs, leftMs), signal);
  }
}

/** Something that may happen before anybody waits for it. */
class Hint {
  #given = Promise.withResolvers<void>();

  give(): void {
    this.#given.resolve();
  }

  async orAfter(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted(); // Whoever was aborted before is not told of it again.
    const over = new AbortController();
    const follow = (): void => over.abort(signal.reason);
    signal.addEventListener("abort", follow, { once: true });
    const slept = clock.sleep(delayMs, over.signal);
    slept.catch(() => {});
    try {
      await Promise.race([this.#given.promise, slept]);
    } finally {
      signal.removeEventListener("abort", follow);
      over.abort();
    }
    signal.throwIfAborted();
    this.#given = Promise.withResolvers<void>();
  }
}

function isDone({ status }: Subagent): boolean {
  return status === "waiting" || status === "error";
}

function brief({ chatId, title, status, type }: Subagent) {
  return { chat_id: chatId, title, status, type };
}

function noAgent(chatId: string) {
  return toolError(`This chat started no agent ${chatId}. list_agents shows those that it did.`);
}
