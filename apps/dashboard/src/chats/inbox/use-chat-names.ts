/** Names beside the ids that chats hold. */
import { LIMIT_MAX } from "@atelier/contract/http/common";
import { listWorkspaces } from "@atelier/contract/http/workspaces";
import { useMemo } from "react";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { modelName } from "../model-choice/model-choice.ts";
import { useChatModels } from "../model-choice/model-choice-fields.tsx";

export type ChatNames = {
  readonly workspaces: ReadonlyMap<string, string>;
  readonly models: ReadonlyMap<string, string>;
};

/** One's own: a chat works in a workspace of its owner. */
export const OWN_WORKSPACES = { query: { q: "owner:me", limit: LIMIT_MAX } } as const;

export function useChatNames(): ChatNames {
  const workspaces = useEndpoint(listWorkspaces, OWN_WORKSPACES).data?.workspaces;
  const models = useChatModels().data?.models;
  return useMemo(
    () => ({
      workspaces: new Map(workspaces?.map(({ id, name }) => [id, name])),
      models: new Map(models?.map((model) => [model.id, modelName(model)])),
    }),
    [workspaces, models],
  );
}
