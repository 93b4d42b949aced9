/** `atelier providers disable`. */
import { providerSwitchCommand } from "../provider-switch-command.ts";

export const providersDisable = providerSwitchCommand({
  verb: "disable",
  summary: "Stop the gateway from sending to a model provider",
});
