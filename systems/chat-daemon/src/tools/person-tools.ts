/** Tools that ask the person, or tell what the person has. */
import type { ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import { z } from "zod";
import { defineTool, toolValue, type ChatTool } from "./tool.ts";

const Question = z.object({
  header: z.string().trim().min(1).max(80).describe("A word or two"),
  question: z.string().trim().min(1).max(1_000),
  options: z
    .array(
      z.object({
        label: z.string().trim().min(1).max(200),
        description: z.string().trim().max(1_000).optional(),
      }),
    )
    .min(2)
    .max(4),
});

export function askUserQuestionTool(): ChatTool {
  return defineTool({
    name: "ask_user_question",
    description:
      "Asks the person to choose. They may also answer in their own words. This ends your turn; the answer is their next message.",
    input: z.object({ questions: z.array(Question).min(1).max(4) }),
    run: ({ questions }) => Promise.resolve(toolValue({ questions })),
  });
}

export function listWorkspacesTool(directory: ChatWorkspaceDirectory): ChatTool {
  return defineTool({
    name: "list_workspaces",
    description:
      "The person's workspaces, and which of them is attached to this chat. Only the person can attach an existing one: ask them to, in the chat's settings. create_workspace makes a new one.",
    input: z.object({}),
    run: async (_input, { chat }) => {
      const workspaces = await directory.listOf(chat.ownerId);
      return toolValue({
        workspaces: workspaces.map(({ id, name, agents }) => ({
          ...{ id, name, is_attached: id === chat.workspaceId },
          is_connected: agents.some(({ isConnected }) => isConnected),
        })),
        next_step:
          chat.workspaceId === null
            ? "Ask the person to attach one of these workspaces to the chat, if the task needs one; or make one with create_workspace."
            : "A workspace is attached. Use it.",
      });
    },
  });
}
