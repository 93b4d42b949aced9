/** The endpoints of sharing: libs/contract/src/http/chat-sharing.ts. */
import { ok } from "@atelier/base/result";
import type { CHAT_SHARING_ENDPOINTS } from "@atelier/contract/rpc/chat-service";
import type { EndpointService } from "@atelier/contract/rpc/endpoint-service";
import { readReaders, share, type SharingDeps } from "./sharing-actions.ts";

export function chatSharingService(
  deps: SharingDeps,
): EndpointService<typeof CHAT_SHARING_ENDPOINTS> {
  return {
    getChatAcl: async ({ params }) =>
      ok({
        sharing_enabled: deps.isSharingEnabled,
        users: [...(await readReaders(deps, params.chat))],
      }),
    updateChatAcl: ({ params, body, audit }) =>
      share(deps, { chatId: params.chat, audit }, body.user_roles),
  };
}
