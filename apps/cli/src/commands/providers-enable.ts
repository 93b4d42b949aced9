/** `atelier providers enable`. */
import { providerSwitchCommand } from "../provider-switch-command.ts";

export const providersEnable = providerSwitchCommand({
  verb: "enable",
  summary: "Let the gateway send to a model provider",
});
