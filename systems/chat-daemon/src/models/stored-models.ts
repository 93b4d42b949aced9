/** The stored models that a choice is made among, wherever they were read. */
import type { ModelConfig } from "./model-config.ts";
import type { StoredOverride } from "./model-override.ts";

export interface StoredModels {
  /** Undefined: there is none, or none any more. */
  findConfig(id: string): Promise<ModelConfig | undefined>;
  findDefault(organizationId: string): Promise<ModelConfig | undefined>;
  listOverrides(organizationId: string): Promise<readonly StoredOverride[]>;
}
