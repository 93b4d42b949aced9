/** For tests: use cases of chats on a real database, with people and workspaces that the test names. */
import { fail, ok } from "@atelier/base/result";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { ChatWorkspace } from "@atelier/contract/rpc/chat-ports";
import type { ServiceCaller } from "@atelier/contract/rpc/endpoint-service";
import { listQueuedForCapacity, type ChatLimits } from "../state/acquisition-store.ts";
import { chatWorld, type ChatWorld } from "../state/chat-world-testkit.ts";
import type { ChatDeps } from "./chat-deps.ts";

export type ChatsWorld = AsyncDisposable & {
  readonly world: ChatWorld;
  readonly deps: ChatDeps;
  readonly caller: ServiceCaller;
};

export async function chatsWorld(
  given: {
    readonly workspaces?: (world: ChatWorld) => readonly ChatWorkspace[];
    readonly limits?: ChatLimits;
  } = {},
): Promise<ChatsWorld> {
  const world = await chatWorld();
  const { database, machine, ownerId, organizationId, modelConfigId, apiKeyId } = world;
  const workspaces = given.workspaces?.(world) ?? [];
  const limits = given.limits ?? { topLevelMax: null, subagentsMax: null };
  const deps: ChatDeps = {
    machine,
    database,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    people: {
      defaultOrganizationId: async () => organizationId,
      usernameOf: async (id) => (id === ownerId ? "ann" : undefined),
      idOf: async (ref) => (ref === ownerId || ref === "ann" ? ownerId : undefined),
      namesOf: async (ids) =>
        new Map(
          ids
            .filter((id) => id === ownerId)
            .map((id) => [id, { id, username: "ann", name: "Ann" }]),
        ),
    },
    workspaces: {
      find: async (id) => workspaces.find((workspace) => workspace.id === id),
      listOf: async (id) => workspaces.filter((workspace) => workspace.ownerId === id),
      touched: () => {},
      create: () => Promise.reject(new Error("not asked for")),
    },
    costs: null,
    spendingRefusal: async () => null,
    unlimited: () => null,
    models: {
      defaultFor: async () => ({ modelConfigId, reasoningEffort: null }),
      canUse: async (id) => id === modelConfigId,
    },
    isSharingEnabled: true,
    chooseMcpServers: async (wanted = []) => wanted,
    systemPrompt: async () => ({ text: "Be good.", includesDefault: false }),
    queuedForCapacity: (chatIds) => listQueuedForCapacity(database.sql, chatIds, limits),
    showDiff: async () => fail({ code: "chat.workspace_missing" }),
    proposeTitle: async () => ok("A title"),
  };
  const caller: ServiceCaller = {
    userId: ownerId,
    username: "ann",
    apiKeyId,
    may: (_permission, owner) => owner === ownerId,
  };
  return { world, deps, caller, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}
