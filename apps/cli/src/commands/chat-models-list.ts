/** `atelier chat-models list`. */
import { ok } from "@atelier/base/result";
import { listChatModels } from "@atelier/contract/http/chat-models";
import { ORGANIZATION } from "../chat-model-lookup.ts";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { chatModelsTable } from "../output/chat-model-fields.ts";

export const chatModelsList = defineCommand({
  name: "chat-models list",
  summary: "List the models for chats: those that you can use, and for administrators all",
  examples: ["atelier chat-models list"],
  args: {},
  options: {},
  run: async (cli) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const listed = await api.value.call(listChatModels, { params: ORGANIZATION });
    if (!listed.ok) return listed;
    const { models } = listed.value;
    const text = (): string =>
      models.length === 0
        ? "No models for chats. An administrator adds one with `atelier chat-models create`."
        : chatModelsTable(cli.look, models);
    return ok(shown({ json: listed.value, text }));
  },
});
