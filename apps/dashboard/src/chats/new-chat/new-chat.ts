/** A chat that is being written, before it is one: what it is made of, and what is sent for it. */
import type { ChatInputPart, CreateChat } from "@atelier/contract/http/chats";
import type { Workspace } from "@atelier/contract/http/workspaces";
import type { z } from "zod";
import type { ModelChoice } from "../model-choice/model-choice.ts";

/** All texts, because they are kept as a draft; named as the fields that are sent. */
export type NewChatValues = {
  /** The text of it. */
  readonly content: string;
  readonly model_config_id: string;
  readonly reasoning_effort: string;
  /** Empty: none. */
  readonly workspace_id: string;
  /** `plan`, or empty. */
  readonly plan_mode: string;
  /** Ids, separated by spaces. `usual`: what administrators preset. */
  readonly mcp_server_ids: string;
};

const USUAL_SERVERS = "usual";

export const NEW_CHAT: NewChatValues = {
  ...{ content: "", model_config_id: "", reasoning_effort: "", workspace_id: "", plan_mode: "" },
  mcp_server_ids: USUAL_SERVERS,
};

type NewChatBody = z.input<typeof CreateChat>;
type WorkspaceAnswer = z.output<typeof Workspace>;

export function newChatBody(
  values: NewChatValues,
  model: ModelChoice,
  files: readonly ChatInputPart[],
): NewChatBody {
  const { workspace_id: workspace, plan_mode: plan, mcp_server_ids: servers } = values;
  const text = values.content.trim();
  const chosen = serverIdsOf(servers);
  return {
    content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...files],
    model_config_id: model.modelConfigId,
    ...(model.effort === "" ? {} : { reasoning_effort: model.effort }),
    ...(workspace === "" ? {} : { workspace_id: workspace }),
    ...(plan === "" ? {} : { plan_mode: "plan" }),
    ...(chosen === null ? {} : { mcp_server_ids: [...chosen] }),
    client_type: "ui",
  };
}

/** Null: what administrators preset. */
export function serverIdsOf(servers: string): readonly string[] | null {
  return servers === USUAL_SERVERS ? null : servers.split(" ").filter((id) => id !== "");
}

export function serverIdsText(ids: readonly string[]): string {
  return ids.join(" ");
}

/** A repeat of the same request keeps its key, so that it is done once; another request has another. */
export type KeptKey = { readonly body: string; readonly key: string };

export function keyFor(body: NewChatBody, held: KeptKey | null, newKey: () => string): KeptKey {
  const text = JSON.stringify(body);
  return held?.body === text ? held : { body: text, key: newKey() };
}

export function parseKeptKey(text: string | null): KeptKey | null {
  try {
    const { body, key } = JSON.parse(text ?? "{}") as Partial<KeptKey>;
    return typeof body === "string" && typeof key === "string" ? { body, key } : null;
  } catch {
    return null; // Whatever stands there, it is no key.
  }
}

/** Connected ones first: an agent can begin there at once. */
export function workspaceChoices(
  workspaces: readonly Pick<WorkspaceAnswer, "id" | "name" | "status">[],
  words: (status: WorkspaceAnswer["status"]) => string,
): readonly { readonly value: string; readonly label: string }[] {
  const rank = { connected: 0, disconnected: 1, connecting: 2 };
  return workspaces
    .toSorted((a, b) => rank[a.status] - rank[b.status] || a.name.localeCompare(b.name))
    .map(({ id, name, status }) => ({ value: id, label: `${name} (${words(status)})` }));
}
