/** `atelier chat-models overrides set`. */
import { fail, ok } from "@atelier/base/result";
import { REASONING_EFFORTS } from "@atelier/contract/chat/chat-words";
import { MODEL_OVERRIDE_CONTEXTS, setModelOverride } from "@atelier/contract/http/chat-models";
import { findChatModel, MODEL_ARGUMENT, ORGANIZATION } from "../chat-model-lookup.ts";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, choiceOption, defineCommand, optionalArgument, shown } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";

export const chatModelsOverridesSet = defineCommand({
  name: "chat-models overrides set",
  summary: "Choose the model for certain work, or without a model none",
  examples: [
    "atelier chat-models overrides set title_generation claude-haiku-4-5",
    "atelier chat-models overrides set title_generation",
  ],
  args: {
    work: argument(`one of: ${MODEL_OVERRIDE_CONTEXTS.join(", ")}`),
    model: optionalArgument(`${MODEL_ARGUMENT}; none: the chat's own serves`),
  },
  options: { effort: choiceOption("--effort <effort>", "how much it thinks", REASONING_EFFORTS) },
  run: async (cli, { args, options: { effort } }) => {
    const context = MODEL_OVERRIDE_CONTEXTS.find((each) => each === args.work);
    if (context === undefined) {
      return fail(usageFailure(`The work is one of: ${MODEL_OVERRIDE_CONTEXTS.join(", ")}.`));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = args.model === undefined ? null : await findChatModel(api.value, args.model);
    if (found !== null && !found.ok) return found;
    const model_config_id = found?.value.id ?? "";
    const set = await api.value.call(setModelOverride, {
      params: { ...ORGANIZATION, context },
      body: { model_config_id, ...(effort === undefined ? {} : { reasoning_effort: effort }) },
    });
    if (!set.ok) return set;
    const name = found?.value.model ?? "the chat's own model";
    const text = (): string => safe`${context}: ${name}.`;
    return ok(shown({ json: { context, model_config_id }, text }));
  },
});
