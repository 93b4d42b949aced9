/** A server with a scripted model for chats, a person, and what a client of chats holds of a stream. */
import { setUpFirstUser, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { Chat } from "@atelier/contract/http/chats";
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";

export type ChatPerson = {
  readonly token: string;
  call(
    server: RealServer,
    method: string,
    path: string,
    body?: unknown,
  ): ReturnType<RealServer["api"]>;
  create(server: RealServer, text: string, more?: object): Promise<Chat>;
  send(server: RealServer, chatId: string, text: string, more?: object): Promise<void>;
};

export type ChatWorld = AsyncDisposable & {
  readonly model: ScriptedModel;
  readonly person: ChatPerson;
  readonly providerId: string;
};

/** Adds a provider and a default model that both are the scripted one. The person is there or made now. */
export async function setUpChats(
  server: RealServer,
  options: { readonly token?: string; readonly model?: ScriptedModel } = {},
): Promise<ChatWorld> {
  const model = options.model ?? (await startScriptedModel());
  const token = options.token ?? (await setUpFirstUser(server)).session;
  const call: ChatPerson["call"] = (target, method, path, body) =>
    target.api(method, path, { token, ...(body === undefined ? {} : { body }) });
  const provider = await call(server, "POST", "/api/v2/ai/providers", {
    ...{ type: "anthropic", name: "scripted", base_url: model.url, api_keys: ["sk-scripted"] },
  });
  assert.equal(provider.status, 201, JSON.stringify(provider.body));
  const config = await call(server, "POST", "/api/v2/organizations/default/chats/models", {
    ...{ ai_provider_id: provider.body.id, model: "claude-scripted", context_limit: 200_000 },
  });
  assert.equal(config.status, 201, JSON.stringify(config.body));
  const person: ChatPerson = {
    token,
    call,
    create: async (target, text, more = {}) => {
      const made = await call(target, "POST", "/api/v2/chats", {
        content: [{ type: "text", text }],
        ...more,
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      return made.body as Chat;
    },
    send: async (target, chatId, text, more = {}) => {
      const sent = await call(target, "POST", `/api/v2/chats/${chatId}/messages`, {
        content: [{ type: "text", text }],
        ...more,
      });
      assert.equal(sent.status, 200, JSON.stringify(sent.body));
    },
  };
  return {
    ...{ model, person, providerId: provider.body.id as string },
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

/** What a viewer holds, by applying every event. */
export class ChatScreen {
  messages = new Map<number, { readonly role: string; readonly text: string }>();
  live = "";
  status = "";
  queue: readonly string[] = [];
  error: string | null = null;
  readonly events: ChatStreamEvent[] = [];
  #wake: () => void = () => {};

  apply(events: readonly ChatStreamEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      switch (event.type) {
        case "history_reset":
          this.messages = new Map();
          break;
        case "message":
          this.messages.set(event.message.id, {
            role: event.message.role,
            text: textOf(event.message.content),
          });
          break;
        case "message_part":
          this.live += textOf([event.message_part.part]);
          break;
        case "preview_reset":
          this.live = "";
          break;
        case "status":
          this.status = event.status.status;
          break;
        case "queue_update":
          this.queue = event.queued_messages.map(({ content }) => textOf(content));
          break;
        case "error":
          this.error = event.error.message;
          break;
        case "retry":
        case "action_required":
      }
    }
    this.#wake();
  }

  get texts(): readonly string[] {
    return [...this.messages.values()].map(({ role, text }) => `${role}: ${text}`);
  }

  async until(isDone: () => boolean, withinMs = 60_000): Promise<void> {
    const late = setTimeout(() => this.#wake(), withinMs);
    const startedMs = performance.now();
    try {
      while (!isDone()) {
        assert.ok(
          performance.now() - startedMs < withinMs,
          `within ${withinMs} ms; now ${this.status}, ${JSON.stringify(this.texts)}, live ${this.live}, error ${this.error}`,
        );
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(late);
    }
  }
}

export function textOf(parts: readonly { readonly type: string }[]): string {
  return parts
    .map((part) => {
      if (part.type === "text" && "text" in part) return String(part.text);
      if (part.type === "tool-call" && "tool_name" in part) return `[${String(part.tool_name)}]`;
      if (part.type === "tool-result" && "result" in part) return JSON.stringify(part.result);
      return "";
    })
    .join("");
}

/** Opens a chat's stream; the screen holds what comes. */
export async function watchChat(
  server: RealServer,
  person: ChatPerson,
  chatId: string,
  query = "",
): Promise<Disposable & { readonly screen: ChatScreen; readonly closed: Promise<number> }> {
  const url = `${server.url.replace(/^http/, "ws")}/api/v2/chats/${chatId}/stream${query}`;
  const socket = new WebSocket(url, { headers: { "coder-session-token": person.token } });
  const screen = new ChatScreen();
  socket.on("message", (data: Buffer) => {
    screen.apply(JSON.parse(data.toString("utf8")) as ChatStreamEvent[]);
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await once(socket, "open");
  return { screen, closed, [Symbol.dispose]: () => socket.terminate() };
}
