/** The models of turns: which one serves is the router's to say; how a turn uses it is said here. */
import type { Logger } from "@atelier/base/logger";
import { ok, type Result } from "@atelier/base/result";
import type { ChatError } from "@atelier/contract/chat/chat-words";
import type { HttpTap } from "../debug-runs/debug-recorder.ts";
import { callSettings, webSearchTool } from "../models/call-settings.ts";
import type { ModelFamily } from "../models/model-client.ts";
import { cacheMarksOf } from "../models/prompt-caching.ts";
import {
  ADVISOR_MODES,
  COMPACTION_MODES,
  type ChosenModel,
  type ModelRouter,
  type OverrideModes,
} from "../models/model-router.ts";
import type { StoredModels } from "../models/stored-models.ts";
import type { ChatRow } from "../state/chat-row.ts";
import type { ModelRequest, TurnModel, TurnModels } from "./turn-deps.ts";

/** What models want of what was read with the chat. */
export type BesideModels = {
  readonly storedOf: (beside: unknown) => StoredModels;
  /** Null: the calls of this chat are not recorded. */
  readonly tapOf: (beside: unknown) => HttpTap | null;
};

export function turnModels(
  { router, log }: { readonly router: ModelRouter; readonly log: Logger },
  { storedOf, tapOf }: BesideModels,
): TurnModels {
  const clients = { router, log, tapOf };
  return {
    forTurn: async (chat, request) => {
      const { lastModelConfigId: modelConfigId, lastReasoningEffort: effort } = chat;
      const stored = storedOf(request.beside);
      const chosen = await router.modelOfChat(chat, { modelConfigId, effort }, stored);
      return chosen.ok ? toTurnModel(clients, chat, request, chosen.value) : chosen;
    },
    forSummary: (chat, request) =>
      overridden(clients, chat, request, { ...COMPACTION, stored: storedOf(request.beside) }),
    // Asked when the model calls it: then what is stored counts, and not what was when the step began.
    forAdvisor: (chat, request) => overridden(clients, chat, request, ADVISOR),
  };
}

type Clients = {
  readonly router: ModelRouter;
  readonly log: Logger;
  readonly tapOf: BesideModels["tapOf"];
};

type Override = {
  readonly context: "compaction" | "advisor";
  readonly modes: OverrideModes;
  readonly stored?: StoredModels;
};
const COMPACTION: Override = { context: "compaction", modes: COMPACTION_MODES };
const ADVISOR: Override = { context: "advisor", modes: ADVISOR_MODES };

/** Null: nobody chose another model for this work, or the choice can be done without. */
async function overridden(
  clients: Clients,
  chat: ChatRow,
  request: ModelRequest,
  { context, modes, stored }: Override,
): Promise<Result<TurnModel | null, ChatError>> {
  const choice = await clients.router.override(chat, context, modes, stored);
  if (!choice.ok) return choice;
  if (choice.value.kind === "unset") return ok(null);
  if (choice.value.kind === "unusable") {
    const { failure } = choice.value;
    clients.log.warn({ chatId: chat.id, work: context, failure }, "a chosen model is passed over");
    return ok(null);
  }
  return toTurnModel(clients, chat, request, choice.value.model);
}

async function toTurnModel(
  { router, tapOf }: Omit<Clients, "log">,
  chat: ChatRow,
  { activeApiKeyId, beside, hold }: ModelRequest,
  { config, effort, route }: ChosenModel,
): Promise<Result<TurnModel, ChatError>> {
  const { id, ownerId, parentChatId: parentId, rootChatId: rootId, workspaceId } = chat;
  const tap = tapOf(beside);
  const client = await router.newModel(
    {
      chat: { id, ownerId, parentId, rootId, workspaceId },
      ...{ modelName: config.model, extraHeaders: {}, callConfig: config.options },
    },
    route,
    {
      ...{ activeApiKeyId: activeApiKeyId ?? "", hold },
      recordHttp: tap && tap.recordHttp.bind(tap),
    },
  );
  if (!client.ok) return client;
  const { model, family } = client.value;
  const search = webSearchTool(config.options, family);
  const isStored =
    family === "openai-responses" && config.options.provider_options?.openai?.store === true;
  return ok({
    ...{ model, configId: config.id, provider: client.value.providerType, isStored },
    ...{ contextLimit: config.contextLimit, thresholdPercent: config.compressionThreshold },
    callSettings: callSettings(config.options, client.value, effort),
    providerTools: search === null ? [] : [search],
    cacheMarks: cacheMarksOf(client.value),
    takesFile: (mediaType) => takesFile(family, mediaType),
    tap,
  });
}

/** Images go to all; documents to those whose APIs take them. */
function takesFile(family: ModelFamily, mediaType: string): boolean {
  if (mediaType.startsWith("image/")) return true;
  return mediaType === "application/pdf" && PDF_FAMILIES.has(family);
}

const PDF_FAMILIES: ReadonlySet<ModelFamily> = new Set([
  ...(["openai-responses", "openai-chat", "anthropic", "bedrock", "google"] as const),
]);
