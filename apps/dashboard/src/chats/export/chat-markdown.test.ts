import type { ChatMessage } from "@atelier/contract/http/chats";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import assert from "node:assert/strict";
import { test } from "node:test";
import { chatMarkdown, fileNameOf } from "./chat-markdown.ts";

const CHAT = {
  title: "Tidy up",
  url: "https://atelier.example/chats/1",
  owner: "ann",
  savedAt: new Date("2026-11-21T10:00:00.000Z"),
};

function message(role: ChatMessage["role"], ...content: MessagePart[]): ChatMessage {
  const created_at = "2026-11-21T09:00:00.000Z";
  return { id: 1, chat_id: "c", created_at, role, content };
}

test("what was said and done stands in its order, with what came of it", () => {
  const text = chatMarkdown(CHAT, [
    message("user", { type: "text", text: "Run the tests" }),
    message(
      "assistant",
      { type: "reasoning", text: "One looks.\nThen runs." },
      {
        ...{ type: "tool-call", tool_call_id: "a", tool_name: "execute" },
        args: { command: "npm test", model_intent: "running them" },
      },
    ),
    message("tool", {
      ...{ type: "tool-result", tool_call_id: "a", tool_name: "execute" },
      result: { output: "1 failed\n", exit_code: 1, wall_duration_ms: 1_200 },
    }),
    message("assistant", { type: "text", text: "One **fails**." }),
  ]);
  assert.equal(
    text,
    `# Tidy up

https://atelier.example/chats/1, of ann, as it was at 2026-11-21T10:00:00.000Z.

## ann, 2026-11-21T09:00:00.000Z

Run the tests

## Agent

> One looks.
> Then runs.

**Running them** \`npm test\` (exit 1, 1.2 s)

\`\`\`
1 failed
\`\`\`

One **fails**.
`,
  );
});

test("code that holds backticks ends where it ends, and what is long says how much is left out", () => {
  const text = chatMarkdown(CHAT, [
    message("assistant", {
      ...{ type: "tool-call", tool_call_id: "a", tool_name: "execute" },
      args: { command: "echo `date`" },
    }),
    message("tool", {
      ...{ type: "tool-result", tool_call_id: "a", tool_name: "execute" },
      result: { output: `\`\`\`\n${"x".repeat(5_000)}`, exit_code: 0 },
    }),
  ]);
  assert.match(text, /`` echo `date` ``/);
  assert.match(text, /\n````\n```\n/);
  assert.match(text, /\n… 1004 more characters\n````\n$/);
});

test("a file is named as its chat, in letters of any language", () => {
  assert.equal(fileNameOf("Größe: prüfen/ändern!"), "größe-prüfen-ändern");
  assert.equal(fileNameOf("…"), "chat");
});
