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
  {
    name: "chat-max-queued-messages",
    kind: "int",
    default: 20,
    min: 1,
    max: 1_000,
    group: "Chats",
    description: "Messages that may wait in one chat. Further ones are answered 429.",
  },
  {
    name: "chat-max-working",
    kind: "int",
    default: 0,
    min: 0,
    max: 1_000_000,
    group: "Chats",
    description:
      "Chats that work at once, on all servers together. Others wait their turn, people by turns. 0 means no limit.",
  },
  {
    name: "chat-max-working-subagents",
    kind: "int",
    default: 0,
    min: 0,
    max: 1_000_000,
    group: "Chats",
    description:
      "Chats started by other chats that work at once, on all servers together. 0 means no limit.",
  },
  {
    name: "chat-sharing-enabled",
    kind: "bool",
    default: true,
    group: "Chats",
    description:
      "Let people share their chats with others of the deployment, who may read them and do nothing else. Switched off, nobody reads a chat that was shared before.",
  },
  {
    name: "chat-auto-archive",
    kind: "duration",
    default: "0",
    group: "Chats",
    description:
      "Chats with which nothing was done for so long, and that are not pinned, are archived. From then on they are kept for `chat-retention`. 0 means never.",
  },
  {
    name: "chat-retention",
    kind: "duration",
    default: "30d",
    group: "Chats",
    description:
      "How long archived chats are kept, from the last thing that was done to them. Then they are deleted with their files. 0 means forever.",
  },
  {
    name: "chat-debug-logging-enabled",
    kind: "bool",
    default: false,
    group: "Chats",
    description:
      "Record what all chats send to models and are answered, for those who may read them. Otherwise administrators decide whether people may have their own chats recorded. Credentials are left out; prompts are not.",
  },
] as const satisfies readonly Option[];
