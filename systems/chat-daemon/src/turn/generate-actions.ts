/** One answer of the chat's model: asked for, shown while it comes, and committed whole. */
import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { parseCommands } from "../tools/shell-command.ts";
import { withCacheBreakpoints, withToolBreakpoint } from "../prompt/cache-breakpoints.ts";
import { chainOf, type Chain } from "../prompt/chain-mode.ts";
import { fileIdsOf, toModelPrompt } from "../prompt/model-prompt.ts";
import { promptPrefix } from "../prompt/prompt-prefix.ts";
import type { NewMessage } from "../state/chat-row.ts";
import { commitStep, inAttempt, ofProvider, type ActionEnd } from "./attempt-actions.ts";
import { stepsOfTurn } from "./decision.ts";
import type { LiveEpisode } from "./live-episode.ts";
import { ClassifiedError } from "./model-error.ts";
import { readModelStream } from "./model-stream-actions.ts";
import type { PreparedTurn } from "./prepare-turn-actions.ts";
import { recordTurnCall, streamedAnswer } from "./recorded-turn-actions.ts";
import type { StepParts } from "./step-parts.ts";
import { toStepUsage } from "./step-usage.ts";
import type { TurnDeps, TurnRun } from "./turn-deps.ts";

export async function generateStep(
  deps: TurnDeps,
  run: TurnRun,
  prepared: PreparedTurn,
  how: { readonly mayChain: boolean } | { readonly options: LanguageModelV4CallOptions },
): Promise<ActionEnd> {
  const options = "options" in how ? how.options : await answerOptions(deps, prepared, how);
  return inAttempt(deps, run, prepared, async (episode, attempt) => {
    const startedMs = deps.clock.monotonicMs();
    const step = await ofProvider(() =>
      readStep(deps, run, { prepared, attempt, options, episode }),
    );
    const runtimeMs = Math.round(deps.clock.monotonicMs() - startedMs);
    const message = toAssistantMessage(step, prepared, runtimeMs);
    const isLast = !message.content.some(
      (part) => part.type === "tool-call" && part.provider_executed !== true,
    );
    const isAsked = prepared.chat.compactionRequestedAt !== null;
    const messages = message.content.length === 0 ? [] : [message];
    // The prefix is hashed while the step goes to the disk: before the call, somebody waits for it.
    const [ended] = await Promise.all([
      commitStep(deps, run, messages, { isLast: isLast && !isAsked }),
      recordPrefix(deps, prepared),
    ]);
    return ended;
  });
}

/** Of the answer that is asked for next. */
export async function answerOptions(
  deps: Pick<TurnDeps, "loadFiles">,
  prepared: PreparedTurn,
  { mayChain }: { readonly mayChain: boolean },
): Promise<LanguageModelV4CallOptions> {
  return callOptions(deps, prepared, mayChain ? chainFor(prepared) : null);
}

export async function callOptions(
  deps: Pick<TurnDeps, "loadFiles">,
  { rows, model, layers, promptTools }: PreparedTurn,
  chain: Chain | null,
): Promise<LanguageModelV4CallOptions> {
  const sent = chain?.rows ?? rows;
  const ids = fileIdsOf(sent);
  const files = ids.length === 0 ? new Map() : await deps.loadFiles(ids);
  const { configId: modelConfigId, takesFile, cacheMarks, callSettings } = model;
  const prompt = toModelPrompt(sent, layers, { modelConfigId, takesFile, files });
  return {
    ...callSettings,
    prompt: withCacheBreakpoints(prompt, cacheMarks),
    ...(promptTools.length > 0 && {
      tools: [...withToolBreakpoint(promptTools, cacheMarks)],
    }),
    ...(chain !== null && {
      providerOptions: {
        ...callSettings.providerOptions,
        openai: {
          ...callSettings.providerOptions?.["openai"],
          previousResponseId: chain.previousResponseId,
        },
      },
    }),
  };
}

/** Only the first step of a turn: later ones replay the whole history. */
function chainFor({ rows, chat, model }: PreparedTurn): Chain | null {
  if (stepsOfTurn(rows) > 0) return null;
  const { isStored, configId: modelConfigId } = model;
  return chainOf(rows, { isStored, modelConfigId, isPlanMode: chat.planMode !== null });
}

/** Of a call that was answered; a prefix that could not be recorded must not stop the work. */
async function recordPrefix(
  deps: TurnDeps,
  { chat, model, promptTools, layers }: PreparedTurn,
): Promise<void> {
  try {
    const prefix = promptPrefix(model.configId, promptTools, layers);
    const causes = await deps.recordPrefix(chat, prefix);
    if (causes.length > 0) {
      deps.log.info({ chatId: chat.id, causes }, "the prefix of a chat's prompt changed");
    }
  } catch (error) {
    deps.log.warn({ err: error, chatId: chat.id }, "the prefix of a prompt could not be recorded");
  }
}

async function readStep(
  { clock, recorder }: TurnDeps,
  { signal }: TurnRun,
  {
    prepared,
    attempt,
    options,
    episode,
  }: {
    readonly prepared: PreparedTurn;
    readonly attempt: number;
    readonly options: LanguageModelV4CallOptions;
    readonly episode: LiveEpisode;
  },
): Promise<StepParts> {
  const { model } = prepared;
  const call = { ...{ model, options, signal }, operation: "stream", purpose: "answer" } as const;
  return recordTurnCall(recorder, { ...prepared, attempt }, call, {
    run: async () => {
      const read = await readModelStream(model.model, options, {
        ...{ clock, signal },
        invoked: () => episode.modelInvoked(),
        show: ({ role, part }) => episode.addPart(role, part),
        beginningShown: () => episode.beginningShown(),
      });
      refuseEmpty(read);
      return read;
    },
    answerOf: streamedAnswer,
  });
}

/** An answer without content ends a turn, unless something cut it off before it said anything. */
function refuseEmpty(step: StepParts): void {
  if (step.parts().length > 0) return;
  if (step.end?.reason === "content-filter") {
    throw new ClassifiedError({
      message: "The provider's content filter stopped the answer.",
      ...{ kind: "content_filter", retryable: false },
    });
  }
  if (step.end?.reason === "length") {
    throw new ClassifiedError({
      message: "The answer reached its limit of output tokens before it said anything.",
      detail: "Raise the model's maximum of output tokens, or lower its reasoning effort.",
      ...{ kind: "config", retryable: false },
    });
  }
}

function toAssistantMessage(
  step: StepParts,
  { model, chat }: PreparedTurn,
  runtimeMs: number,
): NewMessage {
  return {
    role: "assistant",
    content: step.parts().map(withParsedCommands),
    modelConfigId: model.configId,
    reasoningEffort: chat.lastReasoningEffort,
    providerResponseId: model.isStored ? step.responseId : null,
    usage: step.end === null ? null : toStepUsage(step.end.usage, model.contextLimit),
    runtimeMs,
  };
}

/** For people: what a command runs, at a glance. */
function withParsedCommands(part: MessagePart): MessagePart {
  if (part.type !== "tool-call" || part.tool_name !== "execute") return part;
  const { args } = part;
  const isCommand = typeof args === "object" && args !== null && "command" in args;
  if (!isCommand || typeof args.command !== "string") return part;
  const parsed = parseCommands(args.command);
  return parsed === null ? part : { ...part, parsed_commands: parsed.map((each) => [...each]) };
}
