/** The models of a turn, by way of the one choke point: what they are called with, and what they take. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ChatError } from "@atelier/contract/chat/chat-words";
import { callSettings, webSearchTool } from "../models/call-settings.ts";
import type { ModelFamily } from "../models/model-client.ts";
import type { ModelFailure } from "../models/model-failure.ts";
import { providerHint } from "../models/model-route.ts";
import { COMPACTION_MODES, type ChosenModel, type ModelRouter } from "../models/model-router.ts";
import type { CacheMarks } from "../prompt/cache-breakpoints.ts";
import type { ChatRow } from "../state/chat-row.ts";
import type { ModelRequest, TurnModel, TurnModels } from "./turn-deps.ts";

export function turnModels(router: ModelRouter): TurnModels {
  return {
    forTurn: async (chat, request) => {
      const chosen = await router.modelOfChat(chat, {
        modelConfigId: chat.lastModelConfigId,
        effort: chat.lastReasoningEffort,
      });
      return chosen.ok
        ? toTurnModel(router, { chat, request, chosen: chosen.value })
        : fail(toChatError(chosen.failure));
    },
    forSummary: async (chat, request) => {
      const chosen = await router.override(chat, "compaction", COMPACTION_MODES);
      if (!chosen.ok) return fail(toChatError(chosen.failure));
      if (chosen.value.kind === "unset") return ok(null);
      if (chosen.value.kind === "unusable") return fail(toChatError(chosen.value.failure));
      return toTurnModel(router, { chat, request, chosen: chosen.value.model });
    },
  };
}

export async function toTurnModel(
  router: ModelRouter,
  asked: {
    readonly chat: ChatRow;
    readonly request: ModelRequest;
    readonly chosen: ChosenModel;
  },
): Promise<Result<TurnModel, ChatError>> {
  const { chat, request, chosen } = asked;
  const { config, route, effort } = chosen;
  const client = await router.newModel(
    {
      chat: {
        ownerId: chat.ownerId,
        id: chat.id,
        parentId: chat.parentChatId,
        rootId: chat.rootChatId,
        workspaceId: chat.workspaceId,
      },
      modelName: config.model,
      extraHeaders: {},
      callConfig: config.options,
    },
    route,
    { activeApiKeyId: request.activeApiKeyId ?? "", recordHttp: null },
  );
  if (!client.ok) return fail(toChatError(client.failure));
  const { family, model } = client.value;
  const hint = providerHint(route);
  const search = webSearchTool(config.options, family);
  const { openai } = config.options.provider_options ?? {};
  return ok({
    model,
    configId: config.id,
    provider: hint.ok ? hint.value : family,
    contextLimit: config.contextLimit,
    thresholdPercent: config.compressionThreshold,
    callSettings: callSettings(config.options, client.value, effort),
    providerTools: search === null ? [] : [search],
    cacheMarks: cacheMarksOf(family),
    isStored: family === "openai-responses" && openai?.store === true,
    takesFile: (mediaType) => takesFile(family, mediaType),
  });
}

function cacheMarksOf(family: ModelFamily): CacheMarks {
  return family === "anthropic" || family === "bedrock" ? family : "none";
}

const IMAGE = /^image\/(?:png|jpeg|gif|webp)$/;

/** What goes as it is; other files go as text, or are only named. */
function takesFile(family: ModelFamily, mediaType: string): boolean {
  if (IMAGE.test(mediaType)) return true;
  return mediaType === "application/pdf" && family !== "openai-compat" && family !== "vercel";
}

function toChatError({ kind, message, detail, retryable }: ModelFailure): ChatError {
  return { kind, message, retryable, ...(detail === undefined ? {} : { detail }) };
}
