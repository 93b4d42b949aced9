/** The endpoints of recorded model calls: libs/contract/src/http/chat-debug.ts. */
import type { CHAT_DEBUG_ENDPOINTS } from "@atelier/contract/rpc/chat-service";
import type { EndpointService } from "@atelier/contract/rpc/endpoint-service";
import { showRun, showRuns, showStep, type DebugReadDeps } from "./debug-run-actions.ts";

export function chatDebugService(
  deps: DebugReadDeps,
): EndpointService<typeof CHAT_DEBUG_ENDPOINTS> {
  return {
    listChatDebugRuns: ({ params }) => showRuns(deps, params.chat),
    getChatDebugRun: ({ params, query }) =>
      showRun(deps, { chatId: params.chat, runId: params.run }, query.detail),
    getChatDebugStep: ({ params }) =>
      showStep(deps, { chatId: params.chat, runId: params.run, stepId: params.step }),
  };
}
