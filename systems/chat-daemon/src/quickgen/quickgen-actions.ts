/**
 * Titles and labels of chats, by models: best effort, beside the turn and never in its way. Each goes
 * through the one choke point and is called on behalf of whoever wrote last.
 */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
} from "@ai-sdk/provider";
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Database } from "@atelier/database/database";
import type {
  DebugAnswer,
  DebugCall,
  DebugRecorder,
  HttpTap,
} from "../debug-runs/debug-recorder.ts";
import { recordCall } from "../debug-runs/record-call-actions.ts";
import { callSettings } from "../models/call-settings.ts";
import type { ModelClient } from "../models/model-client.ts";
import { TITLE_MODES, type ChosenModel, type ModelRouter } from "../models/model-router.ts";
import {
  publishChatNews,
  updateChatMetadata,
  updateGeneratedTitle,
} from "../state/chat-metadata-store.ts";
import { readTalk, type Talk } from "./quickgen-store.ts";
import {
  LABEL_INSTRUCTION,
  LABELS,
  TITLE_INSTRUCTION,
  titleContext,
  toLabel,
  toTitle,
  type Said,
} from "./short-text.ts";

export type QuickgenDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly models: ModelRouter;
  readonly recorder: DebugRecorder;
  /** Null: calls for this person are not recorded. */
  readonly tapOf: (ownerId: string) => Promise<HttpTap | null>;
};

const BUDGET_MS = 30_000;
const TITLE_TOKENS_MAX = 256;
const LABEL_TOKENS_MAX = 64;

/** Names a chat that has just begun, unless somebody did. Never throws. */
export async function nameChat(
  deps: QuickgenDeps,
  chatId: string,
  signal: AbortSignal,
): Promise<void> {
  await quietly(deps, chatId, async () => {
    const talk = await readTalk(deps.database.sql, chatId);
    if (talk === undefined || talk.titleSource !== "fallback") return;
    if (talk.messages.length !== 1 || talk.messages[0]?.role !== "user") return;
    const title = await askFor(deps, TITLE, talk, signal);
    if (!title.ok) {
      deps.log.debug({ chat: chatId, reason: title.failure }, "a chat keeps its first words");
      return;
    }
    await deps.database.transaction(async (db) => {
      const isWritten = await updateGeneratedTitle(db, chatId, title.value);
      if (isWritten) await publishChatNews(db, talk, "title_change");
    });
  });
}

/** A title for the chat as it is now, or what went wrong, in words for people. Stores nothing. */
export async function proposeTitle(
  deps: QuickgenDeps,
  chatId: string,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const talk = await readTalk(deps.database.sql, chatId);
  if (talk === undefined) return fail("The chat is gone.");
  return askFor(deps, TITLE, talk, signal);
}

/** Says in a few words what the last turn came to, unless the signal aborts before. Never throws. */
export async function labelTurn(
  deps: QuickgenDeps,
  chatId: string,
  end: keyof typeof LABELS,
  signal: AbortSignal,
): Promise<void> {
  await quietly(deps, chatId, async () => {
    const talk = await readTalk(deps.database.sql, chatId);
    // Of a child, its parent tells.
    if (talk === undefined || talk.parentChatId !== null) return;
    const label =
      end === "finished" ? await askFor(deps, LABEL, talk, signal) : ok<string>(LABELS[end]);
    if (signal.aborted) return;
    const text = label.ok ? label.value : LABELS[end];
    await deps.database.transaction(async (db) => {
      await updateChatMetadata(db, chatId, { lastTurnSummary: text });
      await publishChatNews(db, talk, "summary_change");
    });
  });
}

type Question = {
  readonly instruction: string;
  readonly tokensMax: number;
  /** What counts of an answer. Null: nothing. */
  readonly read: (answer: string) => string | null;
  readonly unfit: string;
  readonly kind: "title_generation" | "quickgen";
};

const TITLE: Question = {
  ...{ instruction: TITLE_INSTRUCTION, tokensMax: TITLE_TOKENS_MAX, read: toTitle },
  ...{ kind: "title_generation", unfit: "The model's answer is no title." },
};
const LABEL: Question = {
  ...{ instruction: LABEL_INSTRUCTION, tokensMax: LABEL_TOKENS_MAX, read: toLabel },
  ...{ kind: "quickgen", unfit: "The model's answer is no label." },
};

async function askFor(
  deps: QuickgenDeps,
  question: Question,
  talk: Talk,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const candidates = await candidateModels(deps, talk);
  if (!candidates.ok) return candidates;
  const untilMs = deps.clock.monotonicMs() + BUDGET_MS;
  let answer: Result<string, string> = fail("No model was asked.");
  for (const model of candidates.value) {
    const budgetMs = untilMs - deps.clock.monotonicMs();
    if (signal.aborted || budgetMs <= 0) break;
    answer = await ask(deps, { talk, model, question, budgetMs }, signal);
    if (answer.ok) break;
  }
  if (!answer.ok) return answer;
  const text = question.read(answer.value);
  return text === null ? fail(question.unfit) : ok(text);
}

/**
 * Each where the one before it did not answer. One that was chosen for titles and cannot be used means no
 * title: nothing else was asked for.
 */
async function candidateModels(
  { models }: QuickgenDeps,
  talk: Talk,
): Promise<Result<readonly ChosenModel[], string>> {
  const chosen = await models.override(talk, "title_generation", TITLE_MODES);
  if (!chosen.ok) return fail(chosen.failure.message);
  if (chosen.value.kind === "model") return ok([chosen.value.model]);
  if (chosen.value.kind === "unusable") return fail(chosen.value.failure.message);
  const own = await models.modelOfChat(talk, {
    modelConfigId: talk.lastModelConfigId,
    effort: talk.lastReasoningEffort,
  });
  if (!own.ok) return fail(own.failure.message);
  const light = await models.lightModel(own.value);
  return ok(light === null ? [own.value] : [light, own.value]);
}

type Asked = {
  readonly talk: Talk;
  readonly model: ChosenModel;
  readonly question: Question;
  /** What is left of the time. */
  readonly budgetMs: number;
};

async function ask(
  deps: QuickgenDeps,
  asked: Asked,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const { talk, model, question, budgetMs } = asked;
  const { config, route } = model;
  const tap = await tapFor(deps, talk);
  const client = await deps.models.newModel(
    {
      chat: {
        ownerId: talk.ownerId,
        id: talk.id,
        parentId: talk.parentChatId,
        rootId: talk.rootChatId,
        workspaceId: talk.workspaceId,
      },
      modelName: config.model,
      extraHeaders: {},
      callConfig: config.options,
    },
    route,
    {
      activeApiKeyId: talk.apiKeyId ?? "",
      recordHttp: tap && tap.recordHttp.bind(tap),
      hold: null,
    },
  );
  if (!client.ok) return fail(client.failure.message);
  // Short texts want no long thoughts.
  const { reasoning: _reasoning, ...settings } = callSettings(config.options, client.value, null);
  const request: LanguageModelV4CallOptions = {
    ...settings,
    maxOutputTokens: question.tokensMax,
    prompt: [
      { role: "system", content: question.instruction },
      {
        role: "user",
        content: [{ type: "text", text: titleContext(saidIn(talk)) }],
      },
    ],
  };
  try {
    const answer = await recordCall(deps.recorder, tap, {
      call: () => toDebugCall(asked, client.value, request),
      work: () => withinBudget(deps, { model: client.value.model, request, budgetMs }, signal),
      answerOf: (given) => ({ response: { content: given.content }, usage: usageOf(given) }),
      errorOf: (error) => ({ message: messageOf(error), kind: "generic", retryable: false }),
      signal,
    });
    const texts = answer.content.map((part) => (part.type === "text" ? part.text : ""));
    return ok(texts.join(""));
  } catch (error) {
    return fail(messageOf(error));
  }
}

async function withinBudget(
  { clock }: QuickgenDeps,
  {
    model,
    request,
    budgetMs,
  }: {
    readonly model: LanguageModelV4;
    readonly request: LanguageModelV4CallOptions;
    readonly budgetMs: number;
  },
  signal: AbortSignal,
): Promise<LanguageModelV4GenerateResult> {
  const enough = new AbortController();
  const late = new AbortController();
  clock.sleep(budgetMs, late.signal).then(
    () => enough.abort(new Error("it took too long")),
    () => {}, // It was answered.
  );
  try {
    const abortSignal = AbortSignal.any([signal, enough.signal]);
    return await model.doGenerate({ ...request, abortSignal });
  } finally {
    late.abort(new Error("answered"));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "The model did not answer.";
}

/** A recording that cannot be had is no reason to make no text. */
async function tapFor({ tapOf, log }: QuickgenDeps, talk: Talk): Promise<HttpTap | null> {
  try {
    return await tapOf(talk.ownerId);
  } catch (error) {
    log.debug({ err: error, chat: talk.id }, "a short text's call is not recorded");
    return null;
  }
}

function toDebugCall(
  { talk, model, question }: Asked,
  { providerType, modelName }: ModelClient,
  request: LanguageModelV4CallOptions,
): DebugCall {
  return {
    chat: { id: talk.id, rootChatId: talk.rootChatId, parentChatId: talk.parentChatId },
    kind: question.kind,
    ...{ runKey: null, stepKey: "only", title: "", operation: "generate" },
    ...{ provider: providerType, model: modelName, modelConfigId: model.config.id },
    ...{ triggerMessageId: null, historyTipMessageId: null, request },
    metadata: { purpose: question.kind === "quickgen" ? "label" : "title" },
  };
}

function usageOf({ usage }: LanguageModelV4GenerateResult): DebugAnswer["usage"] {
  const { inputTokens: input, outputTokens: output } = usage;
  return {
    ...(input.total !== undefined && { input_tokens: input.total }),
    ...(output.total !== undefined && { output_tokens: output.total }),
  };
}

function saidIn({ messages }: Talk): readonly Said[] {
  return messages.flatMap(({ role, content }) => {
    if (role !== "user" && role !== "assistant") return [];
    const text = content.map((part) => (part.type === "text" ? part.text : "")).join("");
    return text.trim() === "" ? [] : [{ role, text }];
  });
}

async function quietly(
  { log }: QuickgenDeps,
  chatId: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn({ error, chat: chatId }, "a short text about a chat was not made");
  }
}
