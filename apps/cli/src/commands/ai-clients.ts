/** `atelier ai clients`: the values that filters can have. */
import { listUsedClients } from "@atelier/contract/http/ai-usage";
import { usedValuesCommand } from "../used-values-command.ts";

export const aiClients = usedValuesCommand({
  noun: "clients",
  endpoint: listUsedClients,
  examplePrefix: "Claude",
});
