/** Puts together what a turn works with: models, tools, settings, files, and where live parts go. */
import type { Clock } from "@atelier/base/clock";
import { madeOnce } from "@atelier/base/made-once";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import type { WorkspaceLinks } from "@atelier/contract/rpc/workspace/services";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import { fail, ok } from "@atelier/base/result";
import {
  computerUseProviderSetting,
  decidedForTurn,
  systemPromptSetting,
} from "./chat-settings/chat-setting-actions.ts";
import {
  toTurnSettings,
  TURN_SETTINGS_TEXT,
  TURN_SETTINGS_VERSION_TEXT,
} from "./chat-settings/chat-setting-store.ts";
import { areCallsOfTurnRecorded } from "./chat-settings/debug-setting-actions.ts";
import { agentCallOnce } from "./chats/once-actions.ts";
import { keepToolFile, loadChatFiles } from "./chats/tool-file-actions.ts";
import type { DebugRecorder } from "./debug-runs/debug-recorder.ts";
import { ClientTap } from "./debug-runs/http-tap-io.ts";
import type { DiffLooks } from "./diffs/diff-looks-task.ts";
import type { BufferedEpisodes } from "./live-parts/live-episodes-actions.ts";
import { serversForExplorer } from "./mcp/mcp-server-actions.ts";
import { toServers, TURN_SERVERS_TEXT } from "./mcp/mcp-server-store.ts";
import type { McpTools } from "./mcp/mcp-tools-actions.ts";
import type { ModelRouter } from "./models/model-router.ts";
import type { SelectionDeps } from "./models/model-selection-actions.ts";
import { storedModelsOfTurn, TURN_MODELS_TEXT } from "./models/stored-models-store.ts";
import type { ChatMachine, ReadBeside } from "./state/chat-machine.ts";
import { updateChatMetadata } from "./state/chat-metadata-store.ts";
import { findChat } from "./state/chat-store.ts";
import { builtinTools } from "./tools/builtin-tools.ts";
import { connectWorkspace } from "./tools/chat-workspace.ts";
import { kindOfChat } from "./tools/tool-availability.ts";
import { listAbandonedCalls } from "./turn/abandoned-call-store.ts";
import { childModels } from "./turn/child-models-actions.ts";
import { promptPrefixRecorder } from "./turn/prompt-prefix-actions.ts";
import { openSubagents } from "./turn/subagents-actions.ts";
import type { TurnDeps, TurnEnd } from "./turn/turn-deps.ts";
import { turnModels } from "./turn/turn-models-actions.ts";

export type TurnParts = {
  readonly database: Database;
  readonly pubSub: PubSub;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly machine: ChatMachine;
  readonly episodes: BufferedEpisodes;
  readonly selection: SelectionDeps;
  readonly models: ModelRouter;
  readonly workspaces: ChatWorkspaceDirectory;
  readonly links: WorkspaceLinks;
  readonly mcp: McpTools;
  readonly diffs: DiffLooks;
  readonly actionBegan: TurnDeps["actionBegan"];
  readonly turnEnded: (chatId: string, end: TurnEnd) => void;
  readonly recorder: DebugRecorder;
  /** The model calls of all chats are recorded. */
  readonly isDebugForced: boolean;
};

/** Models and settings are wanted by several, and made of what was read once. */
const modelsOf = madeOnce(({ models }: Beside) => storedModelsOfTurn(models));
const settingsMadeOf = madeOnce(({ settings }: Beside) => toTurnSettings(settings));
const settingsOf = (read: unknown) => settingsMadeOf(asBeside(read));

export function turnDeps(parts: TurnParts): TurnDeps {
  const { database, clock, random, log, machine, episodes, diffs, recorder } = parts;
  const subagents = openSubagents({
    machine,
    sql: database.sql,
    ...childModels(parts.selection, parts.models),
    newChatPrompt: async () => {
      const { text, includesDefault } = await systemPromptSetting({ database });
      return { includesDefault, deploymentPrompt: text, organizationPrompt: "" };
    },
    computerUse: async ({ ownerId }) => {
      const provider = await computerUseProviderSetting({ database });
      const chosen = await parts.models.computerUse(ownerId, provider);
      return chosen.ok ? ok(undefined) : fail(chosen.failure.message);
    },
    serversForExplorer: (parent) => serversForExplorer({ database }, parent, kindOfChat(parent)),
    once: (call, run) => agentCallOnce({ database, clock }, call, run),
    news: parts.pubSub,
  });
  const tools = builtinTools({
    directory: parts.workspaces,
    bind: async (chat, workspaceId) => {
      await updateChatMetadata(database.sql, chat.id, { workspaceId, agentId: null });
    },
    boundTo: async (chat) => (await findChat(database.sql, chat.id))?.workspaceId ?? null,
    files: { store: (chat, file) => keepToolFile({ database, clock }, chat, file) },
    // People keep no skills of their own yet.
    skills: { find: async () => undefined },
    subagents,
  });
  const reach = { directory: parts.workspaces, links: parts.links };
  return {
    ...{ machine, episodes, clock, random, log, recorder, actionBegan: parts.actionBegan },
    toolsRan: (chat) => diffs.toolsRan(chat),
    turnEnded: (chatId, end) => {
      diffs.turnEnded(chatId);
      parts.turnEnded(chatId, end);
    },
    models: turnModels(
      { router: parts.models, log },
      {
        storedOf: (beside) => modelsOf(asBeside(beside)),
        tapOf: (beside) =>
          areCallsOfTurnRecorded(settingsOf(beside), parts.isDebugForced)
            ? new ClientTap(clock)
            : null,
      },
    ),
    beside: TURN_BESIDE,
    settingsOf: async (_chat, beside) => ({
      ...decidedForTurn(settingsOf(beside)),
      personalSkills: [],
    }),
    // Of two with one name, the last is meant: ours.
    toolsOf: async (chat, beside) => {
      const servers = beside === undefined ? undefined : toServers(asBeside(beside).servers);
      const remote = await parts.mcp.toolsOf(chat, servers);
      return remote.length === 0 ? tools : [...remote, ...tools];
    },
    workspaceOf: async (chat) => {
      const workspace = await connectWorkspace(reach, chat);
      if (workspace.ok) diffs.connected(chat, workspace.value);
      return workspace;
    },
    abandonedCalls: (chatId, sinceRevision) =>
      listAbandonedCalls(database.sql, { chatId, sinceRevision }),
    loadFiles: (ids) => loadChatFiles({ database }, ids),
    recordPrefix: promptPrefixRecorder({ database, clock }),
  };
}

/**
 * What a step's model, settings and tools want of the database: with the chat, of one moment. In JSON it is one
 * text: it is the same from turn to turn, and so is what is made of it.
 */
export const TURN_BESIDE: ReadBeside = {
  name: "turn",
  text: `to_json(json_build_object('models', ${TURN_MODELS_TEXT}, 'settings', ${TURN_SETTINGS_TEXT},
    'servers', ${TURN_SERVERS_TEXT})::text)`,
  version: TURN_SETTINGS_VERSION_TEXT,
};

type Beside = { readonly models: unknown; readonly settings: unknown; readonly servers: unknown };

/** Of as many people and models; the last that was wanted is at the end. */
const BESIDE_TEXTS_MAX = 128;
const besideOfTexts = new Map<string, Beside>();

function asBeside(read: unknown): Beside {
  const text = read as string; // As selected.
  const beside = besideOfTexts.get(text) ?? (JSON.parse(text) as Beside);
  besideOfTexts.delete(text);
  besideOfTexts.set(text, beside);
  const [oldest = text] = besideOfTexts.size > BESIDE_TEXTS_MAX ? besideOfTexts.keys() : [];
  if (oldest !== text) besideOfTexts.delete(oldest);
  return beside;
}
