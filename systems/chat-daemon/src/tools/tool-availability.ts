/** Which tools a chat's model may call (spec agents 6.1), as a table. */

export type ChatKind =
  | "root"
  | "root_plan"
  | "child"
  | "child_plan"
  | "explore_child"
  | "computer_use_child";

const ALL = new Set<ChatKind>([
  ...(["root", "root_plan", "child"] as const),
  ...(["child_plan", "explore_child", "computer_use_child"] as const),
]);
const WRITING = new Set<ChatKind>(["root", "child", "computer_use_child"]);
const ROOTS = new Set<ChatKind>(["root", "root_plan"]);
const ROOT = new Set<ChatKind>(["root"]);
const ROOT_PLAN = new Set<ChatKind>(["root_plan"]);

const TABLE: Readonly<Record<string, ReadonlySet<ChatKind>>> = {
  read_file: ALL,
  execute: ALL,
  process_output: ALL,
  read_skill: ALL,
  read_skill_file: ALL,
  // In plan mode only the plan's own file: the tools see to that.
  write_file: new Set<ChatKind>([...WRITING, "root_plan"]),
  edit_files: new Set<ChatKind>([...WRITING, "root_plan"]),
  process_list: WRITING,
  process_signal: WRITING,
  attach_file: WRITING,
  list_workspaces: ROOTS,
  create_workspace: ROOTS,
  start_workspace: ROOTS,
  stop_workspace: ROOT,
  propose_plan: ROOT_PLAN,
  ask_user_question: ROOT_PLAN,
  spawn_agent: ROOTS,
  wait_agent: ROOTS,
  list_agents: ROOTS,
  list_subagent_models: ROOTS,
  message_agent: ROOT,
  interrupt_agent: ROOT,
  advisor: ROOT,
  // The provider's own.
  web_search: new Set<ChatKind>([...WRITING, "explore_child"]),
};

/** Success of one of these ends a planning turn: the person is to answer. */
export const STOP_AFTER_TOOLS: ReadonlySet<string> = new Set(["propose_plan", "ask_user_question"]);

/** Names that models use for a tool that has another. */
const ALIASES: Readonly<Record<string, string>> = { close_agent: "interrupt_agent" };

export function toolNameOf(called: string): string {
  return ALIASES[called] ?? called;
}

export function kindOfChat(chat: {
  readonly parentChatId: string | null;
  readonly mode: "computer_use" | "explore" | null;
  readonly planMode: "plan" | null;
}): ChatKind {
  if (chat.mode === "explore") return "explore_child";
  if (chat.mode === "computer_use") return "computer_use_child";
  if (chat.parentChatId !== null) return chat.planMode === null ? "child" : "child_plan";
  return chat.planMode === null ? "root" : "root_plan";
}

export function isToolAvailable(name: string, kind: ChatKind): boolean {
  return TABLE[name]?.has(kind) ?? false;
}

/** Tools that the chat's client declared and runs itself. */
export function mayUseDynamicTools(kind: ChatKind): boolean {
  return kind === "root";
}
