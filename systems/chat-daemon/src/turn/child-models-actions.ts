/** Which model a child of a chat works with (spec agents 7.1). */
import { fail, ok, type Result } from "@atelier/base/result";
import { allowedEfforts } from "../models/call-settings.ts";
import { SUBAGENT_MODES, type ModelRouter } from "../models/model-router.ts";
import type { SelectionDeps } from "../models/model-selection-actions.ts";
import { listUsableModels } from "../models/usable-models-actions.ts";
import type { SubagentModel } from "../tools/subagent-port.ts";
import type { ChildModel, SubagentDeps } from "./subagents-actions.ts";

export function childModels(
  selection: SelectionDeps,
  router: ModelRouter,
): Pick<SubagentDeps, "childModel" | "usableModels"> {
  return {
    childModel: async (parent, { type, modelConfigId, reasoningEffort }) => {
      if (modelConfigId !== null) {
        const usable = await listUsableModels(selection, parent);
        return usable.some(({ config }) => config.id === modelConfigId)
          ? ok({ modelConfigId, reasoningEffort })
          : fail(`There is no such model to use. list_subagent_models lists those there are.`);
      }
      const inherited: ChildModel = {
        modelConfigId: parent.lastModelConfigId,
        reasoningEffort: reasoningEffort ?? parent.lastReasoningEffort,
      };
      return chosenFor(router, { parent, type, reasoningEffort, inherited });
    },
    usableModels: async (parent) => {
      const usable = await listUsableModels(selection, parent);
      return usable.map(({ config, provider }): SubagentModel => ({
        modelConfigId: config.id,
        displayName: config.displayName === "" ? config.model : config.displayName,
        model: config.model,
        provider: provider?.name ?? config.provider,
        contextLimit: config.contextLimit,
        isDefault: config.isDefault,
        reasoningEfforts: allowedEfforts(config.options.reasoning_effort),
      }));
    },
  };
}

async function chosenFor(
  router: ModelRouter,
  asked: {
    readonly parent: { readonly ownerId: string; readonly organizationId: string };
    readonly type: "general" | "explore";
    readonly reasoningEffort: ChildModel["reasoningEffort"];
    readonly inherited: ChildModel;
  },
): Promise<Result<ChildModel, string>> {
  const { parent, type, reasoningEffort, inherited } = asked;
  const override = await router.override(parent, type, SUBAGENT_MODES);
  if (!override.ok) return fail(override.failure.message);
  // One that cannot be used any more is as none: the child works with its parent's.
  if (override.value.kind !== "model") return ok(inherited);
  const { config, effort } = override.value.model;
  return ok({ modelConfigId: config.id, reasoningEffort: reasoningEffort ?? effort });
}
