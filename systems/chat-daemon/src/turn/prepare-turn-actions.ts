/** Gathers what the next step of a turn is made of: history, model, tools, settings, system prompt. */
import type { LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import { madeOnce } from "@atelier/base/made-once";
import { fail, ok, type Result } from "@atelier/base/result";
import type { ChatError } from "@atelier/contract/chat/chat-words";
import { activeApiKeyId } from "../messages/active-api-key.ts";
import { selectPromptRows } from "../prompt/history-row.ts";
import type { PromptTool } from "../prompt/prompt-prefix.ts";
import { systemLayers, type SystemLayer } from "../prompt/system-layers.ts";
import type { ReadChat } from "../state/chat-machine.ts";
import type { ChatRow, StoredMessage } from "../state/chat-row.ts";
import type { ToolSet } from "../tools/tool-batch.ts";
import {
  isToolAvailable,
  kindOfChat,
  mayUseDynamicTools,
  STOP_AFTER_TOOLS,
  type ChatKind,
} from "../tools/tool-availability.ts";
import { planPathOf } from "../tools/plan-path.ts";
import type { ChatTool } from "../tools/tool.ts";
import { advisorTool } from "./advisor-tool-actions.ts";
import { compactionNeed, type CompactionLimits } from "./compaction-need.ts";
import { decide, type TurnDecision } from "./decision.ts";
import type { ModelRequest, TurnDeps, TurnModel, TurnSettings } from "./turn-deps.ts";

export type PreparedTurn = {
  readonly chat: ChatRow;
  readonly rows: readonly StoredMessage[];
  /** Begun already. Null: none yet. */
  readonly attempt: number | null;
  readonly kind: ChatKind;
  readonly model: TurnModel;
  /** Null: the turn's own. */
  readonly summaryModel: TurnModel | null;
  readonly limits: CompactionLimits;
  readonly tools: ToolSet;
  /** In the order sent: by name, so that the same set gives the same bytes. */
  readonly promptTools: readonly PromptTool[];
  readonly layers: readonly SystemLayer[];
};

export async function prepareTurn(
  deps: TurnDeps,
  { chat, messages: rows, attempt, beside }: ReadChat,
  hold: ModelRequest["hold"] = null,
): Promise<Result<PreparedTurn, ChatError>> {
  const request = { activeApiKeyId: activeApiKeyId(rows), beside, hold };
  const [model, settings, offered, summary] = await Promise.all([
    deps.models.forTurn(chat, request),
    deps.settingsOf(chat, beside),
    deps.toolsOf(chat, beside),
    deps.models.forSummary(chat, request),
  ]);
  if (!model.ok) return model;
  // A choice that is gone or disabled is as none. One whose credentials cannot be had stops the turn: whoever
  // chose it is to hear of it (spec agents 8.10).
  if (!summary.ok) return summary;
  const summaryModel = summary.value;
  const kind = kindOfChat(chat);
  let layers: readonly SystemLayer[] = [];
  const advisor = advisorOf(
    deps,
    { ...{ chat, rows, settings, model: model.value, request }, attempt },
    () => layers,
  );
  const tools = toolSet(chat, kind, advisor.length === 0 ? offered : [...offered, ...advisor]);
  layers = systemLayers(selectPromptRows(rows), systemContext(chat, kind, settings, tools));
  return ok({
    ...{ chat, rows, attempt, kind, summaryModel, tools },
    model: model.value,
    limits: {
      thresholdPercent:
        settings.thresholdPercentOf(model.value.configId) ?? model.value.thresholdPercent,
      contextLimit: model.value.contextLimit,
      summaryContextLimit: summaryModel?.contextLimit ?? null,
    },
    promptTools: promptTools(chat, kind, tools, model.value),
    layers,
  });
}

/** What a turn does next, as it was prepared. */
export function decideNext({ chat, rows, limits, tools }: PreparedTurn): TurnDecision {
  const exclusive = [...tools.tools.values()].filter(({ isExclusive }) => isExclusive === true);
  return decide({
    rows,
    isCompactionRequested: chat.compactionRequestedAt !== null,
    compaction: compactionNeed(rows, limits),
    dynamicTools: tools.dynamicNames,
    exclusiveTools: new Set(exclusive.map(({ name }) => name)),
    stopAfterTools: chat.planMode === "plan" ? STOP_AFTER_TOOLS : new Set(),
  });
}

export function prepareFailed(error: unknown): Result<never, ChatError> {
  const message = error instanceof Error ? error.message : "unknown";
  return fail({
    ...{ message: "The turn could not be prepared.", kind: "generic", retryable: true },
    detail: message.slice(0, 500),
  });
}

function advisorOf(
  deps: TurnDeps,
  turn: {
    readonly chat: ChatRow;
    readonly rows: readonly StoredMessage[];
    readonly attempt: number | null;
    readonly settings: TurnSettings;
    readonly model: TurnModel;
    readonly request: ModelRequest;
  },
  layers: () => readonly SystemLayer[],
): readonly ChatTool[] {
  const { chat, rows, settings, request } = turn;
  if (settings.advisor === null) return [];
  const model = async (): Promise<Result<TurnModel, ChatError>> => {
    const own = await deps.models.forAdvisor(chat, request);
    return own.ok ? ok(own.value ?? turn.model) : own;
  };
  const { recorder } = deps;
  return [advisorTool({ rows, layers, model, recorder, recorded: turn, ...settings.advisor })];
}

function toolSet(chat: ChatRow, kind: ChatKind, tools: readonly ChatTool[]): ToolSet {
  const declared = mayUseDynamicTools(kind) ? (chat.dynamicTools ?? []) : [];
  if (declared.length > 0) return newToolSet(kind, tools, declared);
  const known = setsOf(tools);
  const set = known.get(kind) ?? newToolSet(kind, tools, []);
  known.set(kind, set);
  return set;
}

/** Of a list that comes again with every turn: sets are made once, and so is what is made of them. */
const setsOf = madeOnce((_tools: readonly ChatTool[]) => new Map<ChatKind, ToolSet>());

function newToolSet(
  kind: ChatKind,
  tools: readonly ChatTool[],
  declared: readonly { readonly name: string }[],
): ToolSet {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  // Of two with one name, ours is meant.
  const dynamic = declared.map(({ name }) => name).filter((name) => !byName.has(name));
  const active = [...byName.values()]
    .filter((tool) => tool.kinds?.has(kind) ?? isToolAvailable(tool.name, kind))
    .map(({ name }) => name);
  return { tools: byName, active: new Set(active), dynamicNames: new Set(dynamic) };
}

function promptTools(
  chat: ChatRow,
  kind: ChatKind,
  set: ToolSet,
  { providerTools }: TurnModel,
): readonly PromptTool[] {
  const ofProvider = providerTools.filter(({ name }) => isToolAvailable(name, kind));
  const isOwnOnly = ofProvider.length === 0 && set.dynamicNames.size === 0;
  return isOwnOnly ? ownPromptTools(set) : sorted(chat, set, ofProvider);
}

const ownPromptTools = madeOnce((set: ToolSet) => sorted({ dynamicTools: null }, set, []));

function sorted(
  chat: Pick<ChatRow, "dynamicTools">,
  { tools, active, dynamicNames }: ToolSet,
  ofProvider: TurnModel["providerTools"],
): readonly PromptTool[] {
  const own = [...tools.values()].filter(({ name }) => active.has(name)).map(toPromptTool);
  const dynamic = (chat.dynamicTools ?? [])
    .filter(({ name }) => dynamicNames.has(name))
    .map(({ name, description, input_schema }): LanguageModelV4FunctionTool => ({
      ...{ type: "function", name, inputSchema: input_schema },
      ...(description !== undefined && { description }),
    }));
  return [...own, ...dynamic, ...ofProvider].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The same object for the same tool, so that what is made of one is made once. */
const toPromptTool = madeOnce(
  ({ name, description, inputSchema }: ChatTool): LanguageModelV4FunctionTool => ({
    type: "function",
    ...{ name, description, inputSchema },
  }),
);

function systemContext(
  chat: ChatRow,
  kind: ChatKind,
  settings: TurnSettings,
  tools: ToolSet,
): Parameters<typeof systemLayers>[1] {
  return {
    isChild: chat.parentChatId !== null,
    isPlanMode: chat.planMode === "plan" && kind !== "explore_child",
    isExplore: kind === "explore_child",
    hasAdvisor: tools.active.has("advisor"),
    userPrompt: settings.userPrompt,
    planInstructions: settings.planInstructions,
    planPath: chat.workspaceId === null ? null : planPathOf(chat.id),
    skills: settings.personalSkills,
  };
}
