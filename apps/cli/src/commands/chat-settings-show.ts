/** `atelier chat-settings show`. */
import { ok } from "@atelier/base/result";
import { readChatSettings } from "../chat-settings-input.ts";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { chatSettingFields } from "../output/chat-setting-fields.ts";

export const chatSettingsShow = defineCommand({
  name: "chat-settings show",
  summary:
    "Show how long chats live, who chooses their models, whose calls are recorded, and whose would work with a desktop",
  examples: ["atelier chat-settings show"],
  args: {},
  options: {},
  run: async (cli) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const settings = await readChatSettings(api.value);
    if (!settings.ok) return settings;
    const text = (): string => chatSettingFields(cli.look, settings.value);
    return ok(shown({ json: settings.value, text }));
  },
});
