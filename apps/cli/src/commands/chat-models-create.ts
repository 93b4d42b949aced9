/** `atelier chat-models create`. */
import { fail, ok } from "@atelier/base/result";
import { createChatModel } from "@atelier/contract/http/chat-models";
import { MODEL_OPTIONS, modelFields } from "../chat-model-input.ts";
import { findChatProvider, ORGANIZATION } from "../chat-model-lookup.ts";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, switchOption, textOption } from "../command.ts";
import { chatModelFields } from "../output/chat-model-fields.ts";

export const chatModelsCreate = defineCommand({
  name: "chat-models create",
  summary: "Add a model for chats; the first one becomes the default",
  examples: [
    "atelier chat-models create claude-opus-4-6 --provider anthropic --context-limit 200000",
    "atelier chat-models create gpt-5.2 --provider openai --context-limit 400000 \\\n" +
      '  --options \'{"reasoning_effort": {"default": "medium", "max": "xhigh"}}\'',
  ],
  args: { model: argument("its name with the provider") },
  options: {
    provider: textOption("--provider <provider>", "which model provider has it: name or id"),
    ...MODEL_OPTIONS,
    default: switchOption("--default", "chats use it where nobody chooses"),
    disabled: switchOption("--disabled", "add it without offering it"),
  },
  run: async (cli, { args, options }) => {
    const given = modelFields(options);
    if (!given.ok) return given;
    const { context_limit: contextLimit, ...fields } = given.value;
    if (options.provider === undefined || contextLimit === undefined) {
      return fail(usageFailure("Give --provider and --context-limit."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const provider = await findChatProvider(api.value, options.provider);
    if (!provider.ok) return provider;
    const created = await api.value.call(createChatModel, {
      params: ORGANIZATION,
      body: {
        ...fields,
        model: args.model,
        ai_provider_id: provider.value.id,
        context_limit: contextLimit,
        is_default: options.default,
        enabled: !options.disabled,
      },
    });
    if (!created.ok) return created;
    const text = (): string => `Created.\n\n${chatModelFields(cli.look, created.value)}`;
    return ok(shown({ json: created.value, text }));
  },
});
