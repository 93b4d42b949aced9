/** The rows of an empty boundary: what came before is shown still, and not sent to the model any more. */
import type { MessagePart } from "@atelier/contract/chat/message-part";

/** No tool of the model's: the name under which people see that the context was cleared. */
export const CLEAR_TOOL = "chat_cleared";

const SENTINEL =
  "The user cleared the context of this conversation. What came before is not known any more.";

type ClearedRow = {
  readonly role: "user" | "assistant" | "tool";
  readonly visibility: "model" | "user";
  readonly compressed: true;
  readonly content: readonly MessagePart[];
};

/** `id` names the mark among the chat's tool calls. */
export function clearedRows(id: string, at: Date): readonly ClearedRow[] {
  const call = {
    tool_call_id: `${CLEAR_TOOL}_${id}`,
    tool_name: CLEAR_TOOL,
    created_at: at.toISOString(),
  };
  return [
    {
      ...{ role: "user", visibility: "model", compressed: true },
      content: [{ type: "text", text: SENTINEL }],
    },
    {
      ...{ role: "assistant", visibility: "user", compressed: true },
      content: [{ type: "tool-call", ...call, args: {} }],
    },
    {
      ...{ role: "tool", visibility: "user", compressed: true },
      content: [{ type: "tool-result", ...call, result: {} }],
    },
  ];
}
