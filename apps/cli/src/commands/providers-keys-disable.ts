/** `atelier providers keys disable`. */
import { providerKeySwitchCommand } from "../provider-switch-command.ts";

export const providersKeysDisable = providerKeySwitchCommand({
  verb: "disable",
  summary: "Take a key of a model provider out of service without forgetting it",
  details: "Requests under way with it go on to their end.",
});
