/** `atelier chat-models delete`. */
import { deleteChatModel } from "@atelier/contract/http/chat-models";
import { findChatModel, MODEL_ARGUMENT, ORGANIZATION } from "../chat-model-lookup.ts";
import { argument, defineCommand } from "../command.ts";
import { YES_OPTION } from "../confirmation.ts";
import { safe } from "../output/terminal-safe.ts";
import { removeOnceSure } from "../removal.ts";

export const chatModelsDelete = defineCommand({
  name: "chat-models delete",
  summary: "Delete a model for chats; chats that used it go on with the default",
  examples: ["atelier chat-models delete gpt-5.2 -y"],
  args: { model: argument(MODEL_ARGUMENT) },
  options: { yes: YES_OPTION },
  run: (cli, { args, options }) =>
    removeOnceSure(cli, options.yes, {
      question: `Delete model ${args.model}?`,
      remove: async (api) => {
        const found = await findChatModel(api, args.model);
        if (!found.ok) return found;
        const params = { ...ORGANIZATION, model: found.value.id };
        return api.call(deleteChatModel, { params });
      },
      json: { deleted: args.model },
      text: safe`Deleted model ${args.model}.`,
    }),
});
