/** The options of chats. */
import type { Option } from "@atelier/host/option";

export const CHAT_OPTIONS = [
  {
    name: "chat-ai-gateway-routing-enabled",
    kind: "bool",
    default: true,
    // A way out should the gateway's way fail; people have no reason to choose.
    hidden: true,
    group: "Chats",
    description:
      "Let chats reach models through the AI gateway. Otherwise they call model providers directly, and nothing of it is recorded.",
  },
] as const satisfies readonly Option[];
