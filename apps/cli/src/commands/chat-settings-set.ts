/** `atelier chat-settings set`. */
import { fail, ok } from "@atelier/base/result";
import {
  COMPUTER_USE_PROVIDERS,
  putChatAutoArchiveDays,
  putChatComputerUseProvider,
  putChatPersonalModelOverrides,
  putChatRetentionDays,
} from "@atelier/contract/http/chat-settings";
import { parseDays, readChatSettings } from "../chat-settings-input.ts";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { choiceOption, defineCommand, shown, textOption } from "../command.ts";
import { chatSettingFields } from "../output/chat-setting-fields.ts";

export const chatSettingsSet = defineCommand({
  name: "chat-settings set",
  summary:
    "Change how long chats live, who chooses their models, or whose would work with a desktop",
  details:
    "Days are whole ones up to 3650. 0 turns it off; `default` goes back to what the server's option says.",
  examples: [
    "atelier chat-settings set --auto-archive-days 90 --retention-days 365",
    "atelier chat-settings set --retention-days default",
  ],
  args: {},
  options: {
    autoArchiveDays: textOption("--auto-archive-days <days>", "idle chats are archived after them"),
    retentionDays: textOption("--retention-days <days>", "archived chats are deleted after them"),
    personalModels: choiceOption(
      "--personal-models <on|off>",
      "people choose models for their own chats",
      ["on", "off"],
    ),
    computerUseProvider: choiceOption(
      "--computer-use-provider <type>",
      "whose model works with a desktop",
      COMPUTER_USE_PROVIDERS,
    ),
  },
  run: async (cli, { options }) => {
    const { autoArchiveDays, retentionDays, personalModels, computerUseProvider } = options;
    const archive = parseDays("--auto-archive-days", autoArchiveDays);
    if (!archive.ok) return archive;
    const kept = parseDays("--retention-days", retentionDays);
    if (!kept.ok) return kept;
    const given = [archive.value, kept.value, personalModels, computerUseProvider];
    if (given.every((value) => value === undefined)) {
      return fail(usageFailure("Nothing to change: give an option that says what."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    if (archive.value !== undefined) {
      const body = { auto_archive_days: archive.value };
      const set = await api.value.call(putChatAutoArchiveDays, { body });
      if (!set.ok) return set;
    }
    if (kept.value !== undefined) {
      const body = { retention_days: kept.value };
      const set = await api.value.call(putChatRetentionDays, { body });
      if (!set.ok) return set;
    }
    if (personalModels !== undefined) {
      const body = { allow_users: personalModels === "on" };
      const set = await api.value.call(putChatPersonalModelOverrides, { body });
      if (!set.ok) return set;
    }
    if (computerUseProvider !== undefined) {
      const body = { provider: computerUseProvider };
      const set = await api.value.call(putChatComputerUseProvider, { body });
      if (!set.ok) return set;
    }
    const settings = await readChatSettings(api.value);
    if (!settings.ok) return settings;
    const text = (): string => `Changed.\n\n${chatSettingFields(cli.look, settings.value)}`;
    return ok(shown({ json: settings.value, text }));
  },
});
