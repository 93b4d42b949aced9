/**
 * The chat daemon: agents as durable chats. `startChatDaemon()` is the system's only export.
 *
 * It knows people, providers and workspaces by ports, and answers its part of the API as a service.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { ChatPeople, ChatProviderCatalog } from "@atelier/contract/rpc/chat-ports";
import type { ChatService } from "@atelier/contract/rpc/chat-service";
import type {
  ModelFetch,
  ModelTransports,
  ProviderAuthSource,
} from "@atelier/contract/rpc/model-transport";
import type { Database } from "@atelier/database/database";
import { chatModelsService } from "./models/chat-models-routes.ts";
import { MODEL_BUILDERS } from "./models/model-builders-io.ts";
import { newModel } from "./models/model-clients-io.ts";
import { agentsUserAgent } from "./models/model-route.ts";
import type { ModelRouter } from "./models/model-router.ts";
import {
  resolveModelRouteForConfig,
  resolveModelRouteForProviderType,
} from "./models/model-routing-actions.ts";
import {
  chooseComputerUseModel,
  chooseModelForNewChat,
  chooseModelOfChat,
  chooseOverride,
} from "./models/model-selection-actions.ts";

export type ChatDaemonConfig = {
  /** Whether chats reach models through this deployment's gateway; else they call providers directly. */
  readonly isGatewayRoutingEnabled: boolean;
  /** What providers are told of this server. */
  readonly host: Parameters<typeof agentsUserAgent>[0];
};

export type ChatDaemonDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly providers: ChatProviderCatalog;
  readonly people: ChatPeople;
  /** People's own provider keys. */
  readonly providerAuth: ProviderAuthSource;
  /** Of the gateway in this process. Null: there is none. */
  readonly transports: ModelTransports | null;
  /** For calls that do not go through the gateway. */
  readonly directFetch: ModelFetch;
  readonly config: ChatDaemonConfig;
};

export interface ChatDaemon {
  /** Answers the API's part about chats. */
  readonly service: ChatService;
  /** The one way to models. */
  readonly models: ModelRouter;
}

export function startChatDaemon(deps: ChatDaemonDeps): ChatDaemon {
  const { database, clock, random, log, providers: catalog, people } = deps;
  return {
    service: chatModelsService({ database, clock, random, log, catalog, people }),
    models: modelRouter(deps),
  };
}

function modelRouter(deps: ChatDaemonDeps): ModelRouter {
  const { database, providers: catalog, providerAuth, transports, directFetch } = deps;
  const { isGatewayRoutingEnabled, host } = deps.config;
  const routing = { database, catalog, providerAuth, isGatewayRoutingEnabled };
  const clients = { builders: MODEL_BUILDERS, transports, directFetch };
  const userAgent = agentsUserAgent(host);
  return {
    modelOfChat: (user, chosen) => chooseModelOfChat(routing, user, chosen),
    modelForNewChat: (user) => chooseModelForNewChat(routing, user),
    override: (user, context, modes) => chooseOverride(routing, user, { context, modes }),
    computerUse: (ownerId, provider) => chooseComputerUseModel(routing, ownerId, provider),
    routeForConfig: (ownerId, config, keys) =>
      resolveModelRouteForConfig(routing, ownerId, config, keys),
    routeForProviderType: (ownerId, type) =>
      resolveModelRouteForProviderType(routing, ownerId, type),
    hasStaticCandidates: !isGatewayRoutingEnabled,
    newModel: (request, route, options) =>
      newModel(clients, { ...request, userAgent }, route, options),
  };
}
