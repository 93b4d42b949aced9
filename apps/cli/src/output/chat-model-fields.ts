/** Models for chats, as people read them. */
import type { ChatModel } from "@atelier/contract/http/chat-models";
import { faint, fields, orDash, since, table, type Cell, type Look } from "./people.ts";

export function chatModelFields(look: Look, model: ChatModel): string {
  return fields(look, [
    ["Model", model.model],
    ["Display name", orDash(model.display_name)],
    ["Provider", model.provider],
    ["Usable", usableCell(model)],
    ["Default", model.is_default ? "yes" : "no"],
    ["Context", `${model.context_limit} tokens`],
    ["Summarised at", `${model.compression_threshold} %`],
    ["Efforts", orDash(model.reasoning_efforts.join(", "))],
    ["Options", orDash(model.options === undefined ? "" : JSON.stringify(model.options))],
    ["Changed", since(look, model.updated_at)],
    ["Id", model.id],
  ]);
}

export function chatModelsTable(look: Look, models: readonly ChatModel[]): string {
  return table(
    look,
    [
      { title: "MODEL" },
      { title: "NAME" },
      { title: "PROVIDER" },
      { title: "USABLE" },
      { title: "DEFAULT" },
    ],
    models.map((model): Cell[] => [
      model.model,
      orDash(model.display_name),
      model.provider,
      usableCell(model),
      model.is_default ? "yes" : "",
    ]),
  );
}

function usableCell({ enabled, available, unavailable_reason: reason }: ChatModel): Cell {
  if (!enabled) return faint("disabled");
  return available ? "yes" : { text: (reason ?? "no").replaceAll("_", " "), tone: "bad" };
}
