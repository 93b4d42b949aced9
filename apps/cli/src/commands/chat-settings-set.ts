/** `atelier chat-settings set`. */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  COMPUTER_USE_PROVIDERS,
  putChatAutoArchiveDays,
  putChatComputerUseProvider,
  putChatPersonalModelOverrides,
  putChatRetentionDays,
} from "@atelier/contract/http/chat-settings";
import {
  putChatDebugLogging,
  putChatDebugRetentionDays,
} from "@atelier/contract/http/chat-debug-settings";
import { parseDays, readChatSettings } from "../chat-settings-input.ts";
import { usageFailure, type CliFailure } from "../cli-failure.ts";
import { signedIn, type Api } from "../cli.ts";
import { choiceOption, defineCommand, shown, textOption } from "../command.ts";
import { chatSettingFields } from "../output/chat-setting-fields.ts";

export const chatSettingsSet = defineCommand({
  name: "chat-settings set",
  summary:
    "Change how long chats live, who chooses their models, whose calls are recorded, or whose would work with a desktop",
  details:
    "Days are whole ones up to 3650. 0 turns it off; `default` goes back to what the server's option says, and for recorded calls to 30 days.",
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
    debugLogging: choiceOption(
      "--debug-logging <on|off>",
      "people may have the model calls of their chats recorded",
      ["on", "off"],
    ),
    debugRetentionDays: textOption(
      "--debug-retention-days <days>",
      "recorded calls are deleted after them",
    ),
    computerUseProvider: choiceOption(
      "--computer-use-provider <type>",
      "whose model works with a desktop",
      COMPUTER_USE_PROVIDERS,
    ),
  },
  run: async (cli, { options }) => {
    const archive = parseDays("--auto-archive-days", options.autoArchiveDays);
    if (!archive.ok) return archive;
    const kept = parseDays("--retention-days", options.retentionDays);
    if (!kept.ok) return kept;
    const debugKept = parseDays("--debug-retention-days", options.debugRetentionDays);
    if (!debugKept.ok) return debugKept;
    const wanted = {
      ...{ archive: archive.value, kept: kept.value, debugKept: debugKept.value },
      ...{ personalModels: options.personalModels, debugLogging: options.debugLogging },
      computerUseProvider: options.computerUseProvider,
    };
    if (Object.values(wanted).every((value) => value === undefined)) {
      return fail(usageFailure("Nothing to change: give an option that says what."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    for (const change of changesOf(api.value, wanted)) {
      const set = await change();
      if (!set.ok) return set;
    }
    const settings = await readChatSettings(api.value);
    if (!settings.ok) return settings;
    const text = (): string => `Changed.\n\n${chatSettingFields(cli.look, settings.value)}`;
    return ok(shown({ json: settings.value, text }));
  },
});

type Wanted = {
  /** Undefined: it stays. Null: as the server's option says. */
  readonly archive: number | null | undefined;
  readonly kept: number | null | undefined;
  readonly debugKept: number | null | undefined;
  readonly personalModels: "on" | "off" | undefined;
  readonly debugLogging: "on" | "off" | undefined;
  readonly computerUseProvider: (typeof COMPUTER_USE_PROVIDERS)[number] | undefined;
};

/** In the order in which they are made; the first that fails is the last. */
function changesOf(
  api: Api,
  { archive, kept, debugKept, personalModels, debugLogging, computerUseProvider }: Wanted,
): readonly Change[] {
  const unless = <Value>(value: Value | undefined, put: (value: Value) => ReturnType<Change>) =>
    value === undefined ? [] : [() => put(value)];
  return [
    ...unless(archive, (days) =>
      api.call(putChatAutoArchiveDays, { body: { auto_archive_days: days } }),
    ),
    ...unless(kept, (days) => api.call(putChatRetentionDays, { body: { retention_days: days } })),
    ...unless(debugKept, (days) =>
      api.call(putChatDebugRetentionDays, { body: { debug_retention_days: days } }),
    ),
    ...unless(personalModels, (is) =>
      api.call(putChatPersonalModelOverrides, { body: { allow_users: is === "on" } }),
    ),
    ...unless(debugLogging, (is) =>
      api.call(putChatDebugLogging, { body: { allow_users: is === "on" } }),
    ),
    ...unless(computerUseProvider, (provider) =>
      api.call(putChatComputerUseProvider, { body: { provider } }),
    ),
  ];
}

type Change = () => Promise<Result<unknown, CliFailure>>;
