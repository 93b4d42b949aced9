/** What commands say of a new message: its model, effort and mode. */
import { fail, ok, type Result } from "@atelier/base/result";
import { REASONING_EFFORTS, type ReasoningEffort } from "@atelier/contract/chat/chat-words";
import { findChatModel, MODEL_ARGUMENT } from "../chat-model-lookup.ts";
import { usageFailure, type CliFailure } from "../cli-failure.ts";
import type { Api } from "../cli.ts";
import { choiceOption, switchOption, textOption, textsOption } from "../command.ts";

export const MESSAGE_OPTIONS = {
  model: textOption("-m, --model <model>", MODEL_ARGUMENT),
  effort: choiceOption("--effort <effort>", "how long the model thinks", REASONING_EFFORTS),
};

export const WATCH_OPTIONS = {
  detach: switchOption("-d, --detach", "do not wait for the answer"),
  quiet: switchOption("-q, --quiet", "print only the final answer"),
};

export const LABEL_OPTION = textsOption("--label <key=value>", "a label; may be repeated");

export type MessageSettings = {
  readonly model_config_id?: string;
  readonly reasoning_effort?: ReasoningEffort;
};

export async function messageSettings(
  api: Api,
  given: { readonly model: string | undefined; readonly effort: ReasoningEffort | undefined },
): Promise<Result<MessageSettings, CliFailure>> {
  const effort = given.effort === undefined ? {} : { reasoning_effort: given.effort };
  if (given.model === undefined) return ok(effort);
  const model = await findChatModel(api, given.model);
  return model.ok ? ok({ ...effort, model_config_id: model.value.id }) : model;
}

export function labelsOf(
  texts: readonly string[],
): Result<Readonly<Record<string, string>>, CliFailure> {
  const labels: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) return fail(usageFailure("--label takes key=value."));
    labels[text.slice(0, at)] = text.slice(at + 1);
  }
  return ok(labels);
}
