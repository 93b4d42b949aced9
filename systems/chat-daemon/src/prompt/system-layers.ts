/**
 * The layers of a system prompt, in the order in which the model gets them (spec agents 5.3): first
 * what stays as it was when the chat began, then what belongs to its workspace, its person and its mode.
 * The order is also that of how seldom they change, because a cache serves beginnings.
 */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import {
  ADVISOR_GUIDANCE,
  BUILT_IN_PROMPT,
  EXPLORE_OVERLAY,
  ORCHESTRATION_BEGINS,
  ORCHESTRATION_ENDS,
  PLAN_MODE_CHILD_OVERLAY,
  PLAN_MODE_OVERLAY,
  PLAN_PATH_PLACEHOLDER,
  SUBAGENT_INSTRUCTION,
  WORKSPACE_ATTACHED,
  WORKSPACE_DETACHED,
  WORKSPACE_DETACHED_CHILD,
} from "./built-in-prompt.ts";
import type { HistoryRow } from "./history-row.ts";
import { toValidText } from "../messages/valid-text.ts";

export type SystemLayer = { readonly name: string; readonly text: string };

export type NewChatPrompt = {
  readonly includesDefault: boolean;
  /** The administrators' text; empty: none. */
  readonly deploymentPrompt: string;
  readonly organizationPrompt: string;
  /** Of the request that made the chat. */
  readonly chatPrompt: string;
  readonly isChild: boolean;
  readonly hasWorkspace: boolean;
};

/** The texts of the system rows that a chat begins with, in order. They never change after. */
export function initialSystemTexts(chat: NewChatPrompt): readonly string[] {
  const builtIn = chat.includesDefault ? BUILT_IN_PROMPT : "";
  const deployment = [builtIn, toPromptText(chat.deploymentPrompt)].filter(hasText).join("\n\n");
  const awareness = chat.hasWorkspace
    ? WORKSPACE_ATTACHED
    : chat.isChild
      ? WORKSPACE_DETACHED_CHILD
      : WORKSPACE_DETACHED;
  return [
    chat.isChild ? withoutOrchestration(deployment) : deployment,
    toPromptText(chat.organizationPrompt),
    toPromptText(chat.chatPrompt),
    awareness,
    chat.isChild ? SUBAGENT_INSTRUCTION : "",
  ].filter(hasText);
}

/** A chat at this moment, as its system prompt depends on it. */
export type SystemContext = {
  readonly isChild: boolean;
  readonly isPlanMode: boolean;
  readonly isExplore: boolean;
  readonly hasAdvisor: boolean;
  /** What the person wrote for all their chats; empty: nothing. */
  readonly userPrompt: string;
  readonly planInstructions: string;
  /** Null: there is no place for a plan now. */
  readonly planPath: string | null;
  /** Skills beside those of the workspace. */
  readonly skills: readonly { readonly name: string; readonly description: string }[];
};

/** Of the rows that the model is sent. */
export function systemLayers(
  rows: readonly HistoryRow[],
  context: SystemContext,
): readonly SystemLayer[] {
  const system = rows.filter(({ role }) => role === "system");
  const pinned = system.findLast(({ content }) => content.some(isContext))?.content ?? [];
  const stored = system
    .filter(({ content }) => !content.some(isContext))
    .map((row, index) => ({ name: `stored_${index + 1}`, text: textOf(row.content) }));
  const layers = [
    ...stored,
    { name: "workspace_context", text: workspaceContextText(pinned) },
    { name: "skills", text: skillsText(pinned, context.skills) },
    { name: "user_prompt", text: toPromptText(context.userPrompt) },
    { name: "mode", text: modeText(context) },
    { name: "advisor", text: context.hasAdvisor ? ADVISOR_GUIDANCE : "" },
  ];
  return layers
    .map(({ name, text }) => ({ name, text: toValidText(withPlanPath(text, context)) }))
    .filter(({ text }) => hasText(text));
}

/** What people write for models, without characters that they cannot see. */
export function toPromptText(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, (char) => (char === "\n" || char === "\t" ? char : ""))
    .trim();
}

function withoutOrchestration(text: string): string {
  const begins = text.indexOf(ORCHESTRATION_BEGINS);
  const ends = text.indexOf(ORCHESTRATION_ENDS);
  return begins < 0 || ends < begins
    ? text
    : text.slice(0, begins) + text.slice(ends + ORCHESTRATION_ENDS.length).trimStart();
}

function withPlanPath(text: string, { planPath, isChild }: SystemContext): string {
  const block = planPath === null || isChild ? "" : `<plan-file-path>${planPath}</plan-file-path>`;
  return text
    .replaceAll(PLAN_PATH_PLACEHOLDER, block)
    .replaceAll(`${ORCHESTRATION_BEGINS}\n`, "")
    .replaceAll(`${ORCHESTRATION_ENDS}\n`, "");
}

function modeText(context: SystemContext): string {
  if (context.isExplore) return EXPLORE_OVERLAY;
  if (!context.isPlanMode) return "";
  const overlay = context.isChild ? PLAN_MODE_CHILD_OVERLAY : PLAN_MODE_OVERLAY;
  return [overlay, toPromptText(context.planInstructions)].filter(hasText).join("\n\n");
}

function workspaceContextText(pinned: readonly MessagePart[]): string {
  const files = pinned.filter((part) => part.type === "context-file");
  const first = files[0];
  if (first === undefined) return "";
  const lines = [
    `Operating system: ${first.context_file_os ?? "unknown"}`,
    `Working directory: ${first.context_file_directory ?? "unknown"}`,
    ...files
      .filter(({ context_file_content: content }) => (content ?? "") !== "")
      .map(
        ({ context_file_path: path, context_file_content, context_file_truncated }) =>
          `\n<file path=${JSON.stringify(path)}${context_file_truncated === true ? ' cut="true"' : ""}>\n${context_file_content}\n</file>`,
      ),
  ];
  return `<workspace-context>\n${lines.join("\n")}\n</workspace-context>`;
}

function skillsText(pinned: readonly MessagePart[], personal: SystemContext["skills"]): string {
  const ofWorkspace = pinned
    .filter((part) => part.type === "skill")
    .map((part) => ({ name: part.skill_name, description: part.skill_description ?? "" }));
  const names = new Set(ofWorkspace.map(({ name }) => name));
  const all = [...ofWorkspace, ...personal.filter(({ name }) => !names.has(name))];
  if (all.length === 0) return "";
  const lines = all.map(({ name, description }) => `- ${name}: ${description}`);
  return `<available-skills>\nRead one with read_skill before work that it is about.\n${lines.join("\n")}\n</available-skills>`;
}

function isContext(part: MessagePart): boolean {
  return part.type === "context-file" || part.type === "skill";
}

function textOf(content: readonly MessagePart[]): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function hasText(text: string): boolean {
  return text.trim() !== "";
}
