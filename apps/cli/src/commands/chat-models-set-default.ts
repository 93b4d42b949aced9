/** `atelier chat-models set-default`. */
import { ok } from "@atelier/base/result";
import { updateChatModel } from "@atelier/contract/http/chat-models";
import { findChatModel, MODEL_ARGUMENT, ORGANIZATION } from "../chat-model-lookup.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";

export const chatModelsSetDefault = defineCommand({
  name: "chat-models set-default",
  summary: "Let chats use this model where nobody chooses one",
  examples: ["atelier chat-models set-default claude-opus-4-6"],
  args: { model: argument(MODEL_ARGUMENT) },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findChatModel(api.value, args.model);
    if (!found.ok) return found;
    const changed = await api.value.call(updateChatModel, {
      params: { ...ORGANIZATION, model: found.value.id },
      body: { is_default: true },
    });
    if (!changed.ok) return changed;
    const text = (): string => safe`${found.value.model} is the default now.`;
    return ok(shown({ json: changed.value, text }));
  },
});
