/** Creating a chat: what it starts with, and with whose things. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { CreateChat } from "@atelier/contract/http/chats";
import type { ChatWorkspace } from "@atelier/contract/rpc/chat-ports";
import type { ServiceCaller } from "@atelier/contract/rpc/endpoint-service";
import type { z } from "zod";
import { initialSystemTexts } from "../prompt/system-layers.ts";
import type { NewMessage } from "../state/chat-row.ts";
import { fallbackTitle, fileIdsOf, toParts } from "./chat-content.ts";
import type { ChatDeps, ModelChoice } from "./chat-deps.ts";
import { invalid, noSuchToolServer, toFailure, withoutQueueFull } from "./chat-failures.ts";
import { findFiles } from "./chat-file-store.ts";
import { once } from "./once-actions.ts";

export type CreateInput = z.output<typeof CreateChat>;

type CreateFailure = Failure<
  | "request.invalid"
  | "resource.not_found"
  | "chat.state_conflict"
  | "chat.model_missing"
  | "chat.usage_limit_reached"
>;

/** The id of the chat: a new one, or with a key that came before, the one of then. */
export async function startChat(
  deps: ChatDeps,
  caller: ServiceCaller,
  input: CreateInput,
): Promise<Result<string, CreateFailure | Failure<"chat.request_key_reused">>> {
  const { idempotency_key: key, ...rest } = input;
  const request = { ownerId: caller.userId, operation: "create_chat" as const, key, input: rest };
  return once<string, CreateFailure>(deps, request, async (keep) => {
    const prepared = await prepare(deps, caller, input);
    if (!prepared.ok) return prepared;
    const refusal = await deps.spendingRefusal(caller.userId);
    if (refusal !== null) return fail(refusal);
    const { workspace, model, messages, organizationId, mcpServerIds } = prepared.value;
    const id = deps.random.uuid();
    const created = await deps.machine.create(
      {
        id,
        organizationId,
        ownerId: caller.userId,
        workspaceId: workspace?.id ?? null,
        agentId: null,
        parentChatId: null,
        rootChatId: null,
        title: fallbackTitle(input.content),
        titleSource: "fallback",
        lastModelConfigId: model.modelConfigId,
        lastReasoningEffort: input.reasoning_effort ?? model.reasoningEffort,
        mode: null,
        planMode: input.plan_mode ?? null,
        mcpServerIds,
        dynamicTools: input.unsafe_dynamic_tools ?? null,
        labels: input.labels ?? {},
        clientType: input.client_type,
        messages,
      },
      (db) => keep(db, id),
    );
    return created.ok ? ok(id) : fail(withoutQueueFull(toFailure(created.failure)));
  });
}

type Prepared = {
  readonly organizationId: string;
  readonly workspace: ChatWorkspace | null;
  readonly model: ModelChoice;
  readonly messages: readonly NewMessage[];
  readonly mcpServerIds: readonly string[];
};

async function prepare(
  deps: ChatDeps,
  caller: ServiceCaller,
  input: CreateInput,
): Promise<Result<Prepared, CreateFailure>> {
  if (!caller.may("chat:create", caller.userId)) return fail({ code: "resource.not_found" });
  const organizationId = await deps.people.defaultOrganizationId();
  if (input.organization_id !== undefined && input.organization_id !== organizationId) {
    return fail(invalid("organization_id", "There is no such organization."));
  }
  const names = (input.unsafe_dynamic_tools ?? []).map(({ name }) => name);
  if (new Set(names).size < names.length) {
    return fail(invalid("unsafe_dynamic_tools", "Each tool needs a name of its own."));
  }
  const workspace = await findWorkspace(deps, caller, input.workspace_id);
  if (!workspace.ok) return workspace;
  const model = await chooseModel(deps, caller, organizationId, input.model_config_id);
  if (!model.ok) return model;
  const mcpServerIds = await deps.chooseMcpServers(input.mcp_server_ids);
  if (mcpServerIds === null) return fail(noSuchToolServer());
  const files = await findFiles(deps.database.sql, caller.userId, fileIdsOf(input.content));
  const content = toParts(input.content, files);
  if (!content.ok) return fail({ code: "request.invalid", validations: content.failure });
  const { text: deploymentPrompt, includesDefault } = await deps.systemPrompt();
  const system = initialSystemTexts({
    ...{ includesDefault, deploymentPrompt, organizationPrompt: "" },
    chatPrompt: input.system_prompt ?? "",
    ...{ isChild: false, hasWorkspace: workspace.value !== null },
  });
  const messages: NewMessage[] = system.map((text) => ({
    role: "system",
    content: [{ type: "text", text }],
    visibility: "model",
  }));
  messages.push({
    role: "user",
    content: content.value,
    createdBy: caller.userId,
    apiKeyId: caller.apiKeyId,
    modelConfigId: model.value.modelConfigId,
    reasoningEffort: input.reasoning_effort ?? model.value.reasoningEffort,
  });
  return ok({
    ...{ organizationId, messages, mcpServerIds },
    workspace: workspace.value,
    model: model.value,
  });
}

/** Only one's own: the chat acts in it as its owner. */
export async function findWorkspace(
  deps: Pick<ChatDeps, "workspaces">,
  caller: ServiceCaller,
  workspaceId: string | undefined,
): Promise<Result<ChatWorkspace | null, Failure<"request.invalid">>> {
  if (workspaceId === undefined) return ok(null);
  const found = await deps.workspaces.find(workspaceId);
  return found?.ownerId === caller.userId && caller.may("workspace:connect", found.ownerId)
    ? ok(found)
    : fail(invalid("workspace_id", "You have no such workspace."));
}

async function chooseModel(
  deps: ChatDeps,
  caller: ServiceCaller,
  organizationId: string,
  wanted: string | undefined,
): Promise<Result<ModelChoice, Failure<"request.invalid" | "chat.model_missing">>> {
  if (wanted !== undefined) {
    return (await deps.models.canUse(wanted, organizationId))
      ? ok({ modelConfigId: wanted, reasoningEffort: null })
      : fail(invalid("model_config_id", "There is no such model, or it is disabled."));
  }
  const choice = await deps.models.defaultFor(caller.userId, organizationId);
  return choice === null ? fail({ code: "chat.model_missing" }) : ok(choice);
}
