/**
 * Titles and labels of chats, by models: best effort, beside the turn and never in its way. Each goes
 * through the one choke point and is called on behalf of whoever wrote last.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Database } from "@atelier/database/database";
import { callSettings } from "../models/call-settings.ts";
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

/** Says in a few words what the last turn came to. Never throws. */
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
};

const TITLE: Question = {
  ...{ instruction: TITLE_INSTRUCTION, tokensMax: TITLE_TOKENS_MAX, read: toTitle },
  unfit: "The model's answer is no title.",
};
const LABEL: Question = {
  ...{ instruction: LABEL_INSTRUCTION, tokensMax: LABEL_TOKENS_MAX, read: toLabel },
  unfit: "The model's answer is no label.",
};

async function askFor(
  deps: QuickgenDeps,
  { instruction, tokensMax, read, unfit }: Question,
  talk: Talk,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const model = await titleModel(deps, talk);
  if (!model.ok) return model;
  const asked = { talk, model: model.value, instruction, tokensMax };
  const answer = await ask(deps, asked, signal);
  if (!answer.ok) return answer;
  const text = read(answer.value);
  return text === null ? fail(unfit) : ok(text);
}

/** One that was chosen for titles and cannot be used means no title: nothing else was asked for. */
async function titleModel(
  { models }: QuickgenDeps,
  talk: Talk,
): Promise<Result<ChosenModel, string>> {
  const chosen = await models.override(talk, "title_generation", TITLE_MODES);
  if (!chosen.ok) return fail(chosen.failure.message);
  if (chosen.value.kind === "model") return ok(chosen.value.model);
  if (chosen.value.kind === "unusable") return fail(chosen.value.failure.message);
  const own = await models.modelOfChat(talk, {
    modelConfigId: talk.lastModelConfigId,
    effort: talk.lastReasoningEffort,
  });
  return own.ok ? ok(own.value) : fail(own.failure.message);
}

async function ask(
  { clock, models }: QuickgenDeps,
  asked: {
    readonly talk: Talk;
    readonly model: ChosenModel;
    readonly instruction: string;
    readonly tokensMax: number;
  },
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const { talk, model, instruction, tokensMax } = asked;
  const { config, route } = model;
  const client = await models.newModel(
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
    { activeApiKeyId: talk.apiKeyId ?? "", recordHttp: null },
  );
  if (!client.ok) return fail(client.failure.message);
  // Short texts want no long thoughts.
  const { reasoning: _reasoning, ...settings } = callSettings(config.options, client.value, null);
  const enough = new AbortController();
  const late = new AbortController();
  clock.sleep(BUDGET_MS, late.signal).then(
    () => enough.abort(new Error("it took too long")),
    () => {}, // It was answered.
  );
  try {
    const answer = await client.value.model.doGenerate({
      ...settings,
      maxOutputTokens: tokensMax,
      prompt: [
        { role: "system", content: instruction },
        {
          role: "user",
          content: [{ type: "text", text: titleContext(saidIn(talk)) }],
        },
      ],
      abortSignal: AbortSignal.any([signal, enough.signal]),
    });
    const texts = answer.content.map((part) => (part.type === "text" ? part.text : ""));
    return ok(texts.join(""));
  } catch (error) {
    return fail(error instanceof Error ? error.message : "The model did not answer.");
  } finally {
    late.abort(new Error("answered"));
  }
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
