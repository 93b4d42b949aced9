/** Which model for chats people mean, and which provider: by id, or by any of their names. */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  listChatModels,
  type ChatModel,
  type ChatModelProvider,
} from "@atelier/contract/http/chat-models";
import { plainFailure, usageFailure, type CliFailure } from "./cli-failure.ts";
import type { Api } from "./cli.ts";

export const MODEL_ARGUMENT = "a model: its name, display name, or id";
/** There is one so far. */
export const ORGANIZATION = { organization: "default" } as const;

export async function findChatModel(api: Api, ref: string): Promise<Result<ChatModel, CliFailure>> {
  const listed = await api.call(listChatModels, { params: ORGANIZATION });
  if (!listed.ok) return listed;
  const { models } = listed.value;
  const byId = models.find(({ id }) => id === ref);
  const named = models.filter((each) => each.model === ref || each.display_name === ref);
  const [found, another] = byId === undefined ? named : [byId];
  if (found === undefined) {
    return fail(plainFailure(`No model for chats is called ${ref}.`, SEE_LIST));
  }
  return another === undefined
    ? ok(found)
    : fail(usageFailure(`Several models for chats are called ${ref}.`, "Give the id of one."));
}

const SEE_LIST = "See `atelier chat-models list`.";

export async function findChatProvider(
  api: Api,
  ref: string,
): Promise<Result<ChatModelProvider, CliFailure>> {
  const listed = await api.call(listChatModels, { params: ORGANIZATION });
  if (!listed.ok) return listed;
  const found = listed.value.providers.find(({ id, name }) => id === ref || name === ref);
  return found === undefined
    ? fail(plainFailure(`Chats know no model provider called ${ref}.`, SEE_PROVIDERS))
    : ok(found);
}

const SEE_PROVIDERS = "See `atelier providers list`. Chats use all types but `copilot`.";
