/** `atelier chat-models overrides list`. */
import { ok } from "@atelier/base/result";
import {
  listChatModels,
  listModelOverrides,
  MODEL_OVERRIDE_CONTEXTS,
} from "@atelier/contract/http/chat-models";
import { ORGANIZATION } from "../chat-model-lookup.ts";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { faint, orDash, table, type Cell } from "../output/people.ts";

export const chatModelsOverridesList = defineCommand({
  name: "chat-models overrides list",
  summary: "List which models serve certain work in place of a chat's own",
  examples: ["atelier chat-models overrides list"],
  args: {},
  options: {},
  run: async (cli) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const listed = await api.value.call(listModelOverrides, { params: ORGANIZATION });
    if (!listed.ok) return listed;
    const models = await api.value.call(listChatModels, { params: ORGANIZATION });
    if (!models.ok) return models;
    const names = new Map(models.value.models.map(({ id, model }) => [id, model]));
    const rows = MODEL_OVERRIDE_CONTEXTS.map((context): Cell[] => {
      const chosen = listed.value.overrides.find((each) => each.context === context);
      const id = chosen?.model_config_id ?? "";
      const model = id === "" ? faint("the chat's own") : (names.get(id) ?? id);
      return [context, model, orDash(chosen?.reasoning_effort ?? "")];
    });
    const columns = ["WORK", "MODEL", "EFFORT"].map((title) => ({ title }));
    return ok(shown({ json: listed.value, text: () => table(cli.look, columns, rows) }));
  },
});
