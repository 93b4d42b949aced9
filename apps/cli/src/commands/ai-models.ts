/** `atelier ai models`: the values that filters can have. */
import { listUsedModels } from "@atelier/contract/http/ai-usage";
import { usedValuesCommand } from "../used-values-command.ts";

export const aiModels = usedValuesCommand({
  noun: "models",
  endpoint: listUsedModels,
  examplePrefix: "claude",
});
