/** `atelier ai keys remove`. */
import { deleteUserProviderKey } from "@atelier/contract/http/ai-user-keys";
import { defineCommand, textOption } from "../command.ts";
import { YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";
import { PROVIDER_ARGUMENT } from "../provider-switch-command.ts";
import { removeOnceSure } from "../removal.ts";

export const aiKeysRemove = defineCommand({
  name: "ai keys remove",
  summary: "Make the server forget your own key for a model provider",
  examples: ["atelier ai keys remove openai", "atelier ai keys remove openai --user bob -y"],
  args: { provider: PROVIDER_ARGUMENT },
  options: {
    user: textOption("--user <user>", "of this user, for administrators; default: yourself"),
    yes: YES_OPTION,
  },
  run: (cli, { args: { provider }, options: { user = "me", yes } }) =>
    removeOnceSure(cli, yes, {
      question: `Remove ${user === "me" ? "your own key" : `${user}'s own key`} for ${provider}?`,
      remove: (api) => api.call(deleteUserProviderKey, { params: { user, provider } }),
      json: { deleted: provider },
      text: safe`Removed the key for ${provider}.`,
    }),
});
