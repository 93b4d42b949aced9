/** `atelier providers keys enable`. */
import { providerKeySwitchCommand } from "../provider-switch-command.ts";

export const providersKeysEnable = providerKeySwitchCommand({
  verb: "enable",
  summary: "Put a key of a model provider back into service, in its old place",
});
