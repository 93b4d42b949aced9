/**
 * Tools about the chat's workspace itself (spec agents 6.4). Workspaces are machines that people attach,
 * so a tool makes the workspace, and the person attaches the machine: with a command that holds a secret,
 * which they fetch themselves. It never passes through a model.
 */
import type { ChatWorkspace, ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import { z } from "zod";
import { hashOf } from "../messages/canonical-json.ts";
import { toolTimeout } from "./tool-timeout.ts";
import { defineTool, toolError, toolValue, type ChatTool, type ToolContext } from "./tool.ts";

export type WorkspaceToolDeps = {
  readonly directory: ChatWorkspaceDirectory;
  /** The chat works there from its next step on. */
  readonly bind: (chat: { readonly id: string }, workspaceId: string) => Promise<void>;
  /** Where it works as of now: an earlier call of the same step may have bound it. */
  readonly boundTo: (chat: { readonly id: string }) => Promise<string | null>;
};

const ATTACH_WAIT_MS = 120_000;
const ATTACH_WAIT_MS_MAX = 600_000;
const LOOK_AGAIN_MS = 2_000;
const NAME = /^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$/;
const NAME_LENGTH_MAX = 32;

export function workspaceTools(deps: WorkspaceToolDeps): readonly ChatTool[] {
  return [createWorkspace(deps), startWorkspace(deps), stopWorkspace(deps)];
}

function createWorkspace({ directory, bind, boundTo }: WorkspaceToolDeps): ChatTool {
  const inTurn = oneByOne();
  return defineTool({
    name: "create_workspace",
    description:
      "Makes a workspace for the person and attaches it to this chat, unless one is attached. The person then attaches a machine to it with a command of their own. Tell them how, and call start_workspace to wait for the machine.",
    input: z.object({
      name: z.string().trim().optional().describe("Letters, digits and hyphens, at most 32"),
    }),
    run: ({ name }, { chat, callId }) =>
      inTurn(chat.id, async () => {
        const workspaceId = await boundTo(chat);
        const bound = workspaceId === null ? undefined : await directory.find(workspaceId);
        if (bound !== undefined) return toolValue({ created: false, ...shown(bound) });
        const id = workspaceIdOf(chat.id, callId);
        const isGood = name !== undefined && NAME.test(name) && name.length <= NAME_LENGTH_MAX;
        const chosen = isGood ? name : `chat-${id.slice(0, 8)}`;
        const { id: chatId, ownerId } = chat;
        const made = await directory.create({ id, ownerId, name: chosen, chatId });
        if (!made.ok) {
          return toolError(
            `The person has a workspace called ${chosen} already. Use another name, or ask them to attach that one to the chat.`,
          );
        }
        await bind(chat, id);
        return toolValue({ created: true, ...shown(made.value) });
      }),
  });
}

type InTurn = <Value>(chatId: string, work: () => Promise<Value>) => Promise<Value>;

/** Calls of one answer run side by side. One server drives a chat, so its memory is enough. */
function oneByOne(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (chatId, work) => {
    const before = last.get(chatId) ?? Promise.resolve();
    const done = before.then(work, work);
    last.set(chatId, done);
    try {
      return await done;
    } finally {
      if (last.get(chatId) === done) last.delete(chatId);
    }
  };
}

function startWorkspace({ directory }: WorkspaceToolDeps): ChatTool {
  return defineTool({
    name: "start_workspace",
    description:
      "Waits until the machine of this chat's workspace is connected. It is the person who starts it: tell them before you wait.",
    input: z.object({
      timeout: toolTimeout(0)
        .optional()
        .describe("How long to wait, such as 30s or 10m, at most 10m; 2m when absent"),
    }),
    run: async ({ timeout = ATTACH_WAIT_MS }, context) => {
      const { clock, signal } = context;
      const untilMs = clock.monotonicMs() + Math.min(timeout, ATTACH_WAIT_MS_MAX);
      for (;;) {
        const bound = await boundOf(directory, context);
        if (bound === undefined) return toolError(NONE);
        const leftMs = untilMs - clock.monotonicMs();
        if (isConnected(bound) || leftMs <= 0) return toolValue(shown(bound));
        await clock.sleep(Math.min(LOOK_AGAIN_MS, leftMs), signal);
      }
    },
  });
}

function stopWorkspace({ directory }: WorkspaceToolDeps): ChatTool {
  return defineTool({
    name: "stop_workspace",
    description:
      "Says what it takes to stop the machine of this chat's workspace: only the person can, because it is theirs.",
    input: z.object({}),
    run: async (_input, context) => {
      const bound = await boundOf(directory, context);
      if (bound === undefined) return toolError(NONE);
      const next_step = `The machine is the person's own: ask them to stop it, or to end the workspace agent on it. To end only what runs there, use process_list and process_signal.`;
      return toolValue({ ...shown(bound), stopped: !isConnected(bound), next_step });
    },
  });
}

const NONE = "No workspace is attached to this chat. Use create_workspace or list_workspaces.";

async function boundOf(
  directory: ChatWorkspaceDirectory,
  { chat }: ToolContext,
): Promise<ChatWorkspace | undefined> {
  return chat.workspaceId === null ? undefined : directory.find(chat.workspaceId);
}

function isConnected({ agents }: ChatWorkspace): boolean {
  return agents.some((agent) => agent.isConnected);
}

function shown(workspace: ChatWorkspace) {
  const { id, name } = workspace;
  const about = { workspace_id: id, workspace_name: name };
  if (isConnected(workspace)) {
    return { ...about, status: "connected", next_step: "Use it." };
  }
  return {
    ...about,
    status: "not_connected",
    next_step: `No machine is connected. Ask the person to start theirs; or, for a new one, to run \`atelier workspaces token ${name}\` and then, on the machine, the command that it prints. Never ask for that command: it holds a secret.`,
  };
}

/** The same for the same call, so that one that a crash cut off makes no second workspace. */
function workspaceIdOf(chatId: string, callId: string): string {
  const hex = hashOf({ chatId, callId, makes: "workspace" });
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
  return [...groups, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}
