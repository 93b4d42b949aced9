/** The demo's chat: a person asks three things of a scripted model, which works in the demo's workspace. */
import type { Chat, ChatMessage } from "@atelier/contract/http/chats";
import { setTimeout as sleep } from "node:timers/promises";
import type { DemoApi } from "./demo-workspace.ts";

const MODEL = "claude-demo";
const ANSWER_MS_MAX = 60_000;
const LOOK_EVERY_MS = 100;
const SHOWN_LETTERS_MAX = 160;

/** A model calls the tool that stands in brackets: the scripted one does nothing of its own accord. */
const QUESTIONS = [
  `What is in this directory? [[call:execute ${json({ command: "pwd; ls -la", model_intent: "looking around" })}]]`,
  `Leave a note. [[call:write_file ${json({ path: "~/note-of-the-agent.md", content: "# A note\nThe agent was here.\n" })}]]`,
  `Does it say so? [[call:read_file ${json({ path: "~/note-of-the-agent.md" })}]]`,
] as const;

export type DemoChat = { readonly id: string; readonly transcript: string };

/** Holds a chat to its end. The model is there from an earlier demo, or is made. */
export async function holdDemoChat(
  api: DemoApi,
  { token, workspaceId }: { readonly token: string; readonly workspaceId: string },
): Promise<DemoChat> {
  await addModel(api, token);
  const [first, ...others] = QUESTIONS;
  const content = (text: string) => [{ type: "text", text }];
  const { body } = await api("POST", "/chats", {
    token,
    body: { content: content(first), workspace_id: workspaceId, labels: { demo: "yes" } },
  });
  const { id } = body as Chat;
  await untilAnswered(api, token, id);
  for (const text of others) {
    await api("POST", `/chats/${id}/messages`, { token, body: { content: content(text) } });
    await untilAnswered(api, token, id);
  }
  const page = await api("GET", `/chats/${id}/messages?after_id=0&limit=200`, { token });
  const { messages } = page.body as { readonly messages: readonly ChatMessage[] };
  return { id, transcript: messages.flatMap(linesOf).join("\n") };
}

/** Micro-dollars for a million tokens: what a large model costs, so that money is to be seen. */
const PRICE = { input: 3_000_000, output: 15_000_000, cache_read: 300_000, cache_write: 3_750_000 };

async function addModel(api: DemoApi, token: string): Promise<void> {
  const price = { provider: "anthropic", model: MODEL, ...PRICE };
  await api("PUT", "/ai-gateway/prices", { token, body: price });
  const path = "/organizations/default/chats/models";
  const listed = await api("GET", path, { token });
  const { models } = listed.body as { readonly models: readonly { readonly model: string }[] };
  if (models.some(({ model }) => model === MODEL)) return;
  const { body } = await api("GET", "/ai/providers/anthropic", { token });
  const model = { ai_provider_id: body.id, model: MODEL, context_limit: 200_000 };
  await api("POST", path, { token, body: { ...model, display_name: "Scripted model" } });
}

async function untilAnswered(api: DemoApi, token: string, chatId: string): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const { body } = await api("GET", `/chats/${chatId}`, { token });
    const { status, last_error: error } = body as Chat;
    if (status === "waiting") return;
    if (status === "error") throw new Error(`the demo's chat: ${error?.message}`);
    if (performance.now() - startedMs > ANSWER_MS_MAX) throw new Error("the demo's chat is stuck");
    await sleep(LOOK_EVERY_MS);
  }
}

function linesOf({ role, content }: ChatMessage): string[] {
  return content.map((part) => {
    if (part.type === "text") return `  ${role === "user" ? "you  " : "agent"}  ${cut(part.text)}`;
    if (part.type === "tool-call") return `  tool   ${part.tool_name} ${cut(json(part.args))}`;
    if (part.type === "tool-result") return `         ${cut(json(part.result))}`;
    return `         (${part.type})`;
  });
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").replace(/\s*\[\[call:.*$/, "");
  return line.length <= SHOWN_LETTERS_MAX ? line : `${line.slice(0, SHOWN_LETTERS_MAX - 1)}…`;
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? "";
}
