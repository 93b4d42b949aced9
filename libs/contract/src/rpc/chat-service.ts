/** What of the API chats answer, by way of the control plane. */
import { CHAT_MODEL_ENDPOINTS } from "../http/chat-models.ts";
import type { EndpointService } from "./endpoint-service.ts";

export const CHAT_SERVICE_ENDPOINTS = { ...CHAT_MODEL_ENDPOINTS };

export type ChatService = EndpointService<typeof CHAT_SERVICE_ENDPOINTS>;
