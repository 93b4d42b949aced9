/**
 * The stored models that a choice is made among: read when they are wanted, or, for a turn, all of one
 * moment in the statement that reads the chat.
 */
import type { Database } from "@atelier/database/database";
import {
  findDefaultModelConfig,
  findModelConfig,
  toModelConfig,
  TURN_CONFIGS_TEXT,
} from "./model-config-store.ts";
import { listOverrides, TURN_OVERRIDES_TEXT } from "./model-override-store.ts";
import type { StoredOverride } from "./model-override.ts";
import type { StoredModels } from "./stored-models.ts";

export function storedModels(database: Pick<Database, "sql">): StoredModels {
  return {
    findConfig: (id) => findModelConfig(database.sql, id),
    findDefault: (organizationId) => findDefaultModelConfig(database.sql, organizationId),
    listOverrides: (organizationId) => listOverrides(database.sql, organizationId),
  };
}

/** An SQL expression over the row `chats`, for `storedModelsOfTurn`. */
export const TURN_MODELS_TEXT = `json_build_object(
  'configs', ${TURN_CONFIGS_TEXT}, 'overrides', ${TURN_OVERRIDES_TEXT})`;

/** What a turn's own model and that of its summaries are chosen among: nothing of others. */
export function storedModelsOfTurn(json: unknown): StoredModels {
  const { configs, overrides } = json as {
    readonly configs: readonly unknown[];
    readonly overrides: readonly StoredOverride[];
  }; // As selected.
  const known = configs.map(toModelConfig);
  return {
    findConfig: async (id) => known.find((config) => config.id === id),
    findDefault: async () => known.find(({ isDefault }) => isDefault),
    listOverrides: async () => overrides,
  };
}
