/** `atelier chat-models update`. */
import { fail, ok } from "@atelier/base/result";
import { updateChatModel } from "@atelier/contract/http/chat-models";
import { MODEL_OPTIONS, modelFields } from "../chat-model-input.ts";
import {
  findChatModel,
  findChatProvider,
  MODEL_ARGUMENT,
  ORGANIZATION,
} from "../chat-model-lookup.ts";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, switchOption, textOption } from "../command.ts";
import { chatModelFields } from "../output/chat-model-fields.ts";

export const chatModelsUpdate = defineCommand({
  name: "chat-models update",
  summary: "Change a model for chats; what is not given stays",
  examples: [
    'atelier chat-models update gpt-5.2 --display-name "GPT"',
    "atelier chat-models update gpt-5.2 --disable",
  ],
  args: { model: argument(MODEL_ARGUMENT) },
  options: {
    model: textOption("--model <name>", "its name with the provider"),
    provider: textOption("--provider <provider>", "which model provider has it: name or id"),
    ...MODEL_OPTIONS,
    enable: switchOption("--enable", "offer it"),
    disable: switchOption("--disable", "offer it no more"),
  },
  run: async (cli, { args, options }) => {
    const { model, enable, disable } = options;
    const given = modelFields(options);
    if (!given.ok) return given;
    if (enable && disable) return fail(usageFailure("Give either --enable or --disable."));
    const fields = {
      ...given.value,
      ...(model === undefined ? {} : { model }),
      ...(enable || disable ? { enabled: enable } : {}),
    };
    if (Object.keys(fields).length === 0 && options.provider === undefined) {
      return fail(usageFailure("Nothing to change: give an option that says what."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findChatModel(api.value, args.model);
    if (!found.ok) return found;
    const provider =
      options.provider === undefined ? null : await findChatProvider(api.value, options.provider);
    if (provider !== null && !provider.ok) return provider;
    const changed = await api.value.call(updateChatModel, {
      params: { ...ORGANIZATION, model: found.value.id },
      body: { ...fields, ...(provider === null ? {} : { ai_provider_id: provider.value.id }) },
    });
    if (!changed.ok) return changed;
    const text = (): string => `Changed.\n\n${chatModelFields(cli.look, changed.value)}`;
    return ok(shown({ json: changed.value, text }));
  },
});
