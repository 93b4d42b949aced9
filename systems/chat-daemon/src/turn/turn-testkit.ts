/** For tests: a chat on a real database, a model that says what the test wants, and tools of the test. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { Clock } from "@atelier/base/clock";
import { silentLogger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { NO_RECORDER } from "../debug-runs/debug-recorder.ts";
import { chatWorld, must, type ChatWorld } from "../state/chat-world-testkit.ts";
import type { NewChat } from "../state/chat-machine.ts";
import type { ChatRow, StoredMessage } from "../state/chat-row.ts";
import type { ChatTool } from "../tools/tool.ts";
import { listAbandonedCalls } from "./abandoned-call-store.ts";
import { runGeneration } from "./generation-task.ts";
import { runInterruption } from "./interrupt-task.ts";
import { episodeKey, type EpisodeId } from "../live-parts/part-buffer.ts";
import type { EpisodePart, LiveEpisodes } from "./live-episode.ts";
import type { TaskEnd, TurnDeps, TurnModel, TurnRun } from "./turn-deps.ts";

/** What a call of the model answers: parts of a stream, or an error before it begins. */
export type Reply =
  | readonly LanguageModelV4StreamPart[]
  | Error
  | ((options: LanguageModelV4CallOptions) => Promise<Reply>);

export type TurnWorld = AsyncDisposable & {
  readonly chats: ChatWorld;
  readonly deps: TurnDeps;
  readonly episodes: MemoryEpisodes;
  /** What the model was called with, streams and summaries alike. */
  readonly calls: LanguageModelV4CallOptions[];
  readonly ends: string[];
  readonly prefixCauses: string[][];
  readonly create: (more?: Partial<NewChat>) => Promise<ChatRow>;
  /** The run of a task for the chat as it is. */
  readonly runOf: (chatId: string, signal?: AbortSignal) => Promise<TurnRun>;
  /** One task. */
  readonly step: (chatId: string) => Promise<TaskEnd>;
  /** Tasks until the chat wants none. */
  readonly drive: (chatId: string) => Promise<ChatRow>;
  readonly row: (chatId: string) => Promise<ChatRow>;
  readonly history: (chatId: string) => Promise<readonly StoredMessage[]>;
};

export type TurnWorldOptions = {
  readonly replies?: readonly Reply[];
  readonly summaries?: readonly (string | Error)[];
  readonly tools?: readonly ChatTool[];
  readonly clock?: Clock;
  readonly model?: Partial<TurnModel>;
  readonly deps?: Partial<TurnDeps>;
};

export async function turnWorld(options: TurnWorldOptions = {}): Promise<TurnWorld> {
  const chats = await chatWorld();
  const calls: LanguageModelV4CallOptions[] = [];
  const ends: string[] = [];
  const prefixCauses: string[][] = [];
  const episodes = new MemoryEpisodes();
  const turnModel: TurnModel = {
    ...{ model: scriptedModel(options, calls), configId: chats.modelConfigId, provider: "test" },
    ...{ contextLimit: 200_000, thresholdPercent: 70, callSettings: {}, providerTools: [] },
    ...{ cacheMarks: "none", isStored: false, takesFile: () => true, tap: null, ...options.model },
  };
  const deps: TurnDeps = {
    ...{ machine: chats.machine, episodes, random: systemRandom, log: silentLogger },
    clock: options.clock ?? systemClock,
    models: {
      forTurn: () => Promise.resolve(ok(turnModel)),
      forSummary: () => Promise.resolve(ok(null)),
      forAdvisor: () => Promise.resolve(ok(null)),
    },
    recorder: NO_RECORDER,
    beside: null,
    settingsOf: () => Promise.resolve(NO_SETTINGS),
    toolsOf: async () => options.tools ?? [],
    workspaceOf: () => Promise.resolve(fail("no workspace")),
    abandonedCalls: (chatId, sinceRevision) =>
      listAbandonedCalls(chats.database.sql, { chatId, sinceRevision }),
    loadFiles: () => Promise.resolve(new Map()),
    recordPrefix: () => Promise.resolve([]),
    actionBegan: () => {},
    toolsRan: () => {},
    turnEnded: (_chatId, end) => ends.push(end),
    ...options.deps,
  };
  const row = async (chatId: string): Promise<ChatRow> =>
    must(await chats.machine.change(chatId, (chat) => Promise.resolve(ok(chat.row))));
  const runOf = async (chatId: string, signal = new AbortController().signal): Promise<TurnRun> => {
    const chat = await row(chatId);
    const { status, historyVersion, runnerId } = chat;
    return { chatId, signal, fence: { runnerId: runnerId ?? "", historyVersion, status } };
  };
  const step = async (chatId: string): Promise<TaskEnd> => {
    const run = await runOf(chatId);
    return run.fence.status === "interrupting"
      ? runInterruption(deps, run)
      : runGeneration(deps, run);
  };
  return {
    ...{ chats, deps, episodes, calls, ends, prefixCauses, row, runOf, step },
    create: async (more) => {
      const { chat } = must(
        await chats.machine.create(chats.newChat({ dynamicTools: null, ...more })),
      );
      const owner = { workerId: systemRandom.uuid(), runnerId: systemRandom.uuid() };
      const acquired = await chats.machine.acquire(chat.id, owner);
      if (acquired === null) throw new Error("a new chat can be acquired");
      return acquired;
    },
    drive: async (chatId) => {
      for (let steps = 0; steps < 200; steps += 1) {
        const { status } = await row(chatId);
        if (status !== "running" && status !== "interrupting") break;
        await step(chatId);
      }
      return row(chatId);
    },
    history: (chatId) => historyOf(chats, chatId),
    [Symbol.asyncDispose]: () => chats[Symbol.asyncDispose](),
  };
}

/** Its owner's, which no machine is attached to. */
export async function addWorkspace(world: TurnWorld): Promise<string> {
  const id = crypto.randomUUID();
  const { database, organizationId, ownerId } = world.chats;
  await database.pool.query(
    `insert into workspaces (id, organization_id, owner_id, name, kind, created_at, updated_at, last_used_at)
     values ($1, $2, $3, 'dev', 'external', now(), now(), now())`,
    [id, organizationId, ownerId],
  );
  return id;
}

/** A stream that says this text and ends. */
export function says(text: string, tokens = 100): readonly LanguageModelV4StreamPart[] {
  return [
    { type: "stream-start", warnings: [] },
    { type: "response-metadata", id: `resp_${text}` },
    { type: "text-start", id: "0" },
    { type: "text-delta", id: "0", delta: text },
    { type: "text-end", id: "0" },
    finish("stop", tokens),
  ];
}

/** A stream that calls tools and ends. */
export function callsTools(
  calls: readonly { readonly id: string; readonly name: string; readonly input?: unknown }[],
  tokens = 100,
): readonly LanguageModelV4StreamPart[] {
  return [
    { type: "stream-start", warnings: [] },
    ...calls.map(({ id, name, input = {} }): LanguageModelV4StreamPart => {
      const text = typeof input === "string" ? input : JSON.stringify(input);
      return { type: "tool-call", toolCallId: id, toolName: name, input: text };
    }),
    finish("tool-calls", tokens),
  ];
}

export function finish(
  reason: "stop" | "tool-calls" | "length" | "content-filter" | "error",
  tokens = 100,
): LanguageModelV4StreamPart {
  return {
    type: "finish",
    finishReason: { unified: reason, raw: undefined },
    usage: {
      inputTokens: { total: tokens, noCache: tokens, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: 10, text: 10, reasoning: undefined },
    },
  };
}

/** Keeps all episodes, and fails where one is opened twice. */
export class MemoryEpisodes implements LiveEpisodes {
  readonly #episodes = new Map<string, { parts: EpisodePart[]; isClosed: boolean }>();

  createEpisode(id: EpisodeId): ReturnType<LiveEpisodes["createEpisode"]> {
    if (this.#episodes.has(episodeKey(id))) throw new Error("an episode is opened once");
    const episode = { parts: new Array<EpisodePart>(), isClosed: false };
    this.#episodes.set(episodeKey(id), episode);
    return {
      addPart: (role, part) => {
        if (!episode.isClosed) episode.parts.push({ role, part });
      },
      beginningShown: () => Promise.resolve(),
      modelInvoked: () => {},
      toolStarted: () => {},
      toolCompleted: () => {},
      close: () => {
        episode.isClosed = true;
      },
    };
  }

  async closeAndRead(id: EpisodeId): ReturnType<LiveEpisodes["closeAndRead"]> {
    const episode = this.#episodes.get(episodeKey(id));
    if (episode !== undefined) episode.isClosed = true;
    return Promise.resolve({ parts: episode?.parts ?? [], modelInvokedAt: null });
  }

  /** As another server showed them. */
  shownBefore(id: EpisodeId, parts: readonly EpisodePart[]): void {
    this.#episodes.set(episodeKey(id), { parts: [...parts], isClosed: true });
  }

  /** Of the newest episode, and whether each is closed. */
  get shown(): readonly EpisodePart[] {
    return [...this.#episodes.values()].flatMap(({ parts }) => parts);
  }

  get areClosed(): boolean {
    return [...this.#episodes.values()].every(({ isClosed }) => isClosed);
  }
}

export const NO_SETTINGS = {
  ...{
    userPrompt: "",
    planInstructions: "",
    personalSkills: [],
    thresholdPercentOf: () => null,
    advisor: null,
  },
};

function scriptedModel(
  { replies = [], summaries = [] }: TurnWorldOptions,
  calls: LanguageModelV4CallOptions[],
): LanguageModelV4 {
  const [streams, texts] = [replies.values(), summaries.values()];
  const answer = async (reply: Reply, options: LanguageModelV4CallOptions) => {
    if (typeof reply === "function") return answer(await reply(options), options);
    if (reply instanceof Error) throw reply;
    return { stream: ReadableStream.from(reply) };
  };
  return {
    ...{ specificationVersion: "v4", provider: "test", modelId: "scripted", supportedUrls: {} },
    doStream: async (options) => {
      calls.push(options);
      const next = streams.next();
      if (next.done === true) throw new Error("the script has no reply left");
      return answer(next.value, options);
    },
    doGenerate: async (options) => {
      calls.push(options);
      const next = texts.next();
      if (next.done === true) throw new Error("the script has no summary left");
      if (next.value instanceof Error) throw next.value;
      const end = finish("stop");
      const { usage, finishReason } = end as Extract<typeof end, { type: "finish" }>; // As made.
      const content: LanguageModelV4GenerateResult["content"] = [
        { type: "text", text: next.value },
      ];
      return Promise.resolve({ content, usage, finishReason, warnings: [] });
    },
  };
}

async function historyOf(chats: ChatWorld, chatId: string): Promise<readonly StoredMessage[]> {
  const { rows } = await chats.database.pool.query<Record<string, unknown>>(
    `select id::int, role, content, visibility, compressed, deleted, usage_of.*
     from chat_messages,
       lateral (select provider_response_id as "providerResponseId", runtime_ms as "runtimeMs") usage_of
     where chat_id = $1 and not deleted order by id`,
    [chatId],
  );
  return rows as unknown as readonly StoredMessage[]; // The columns that tests look at.
}
