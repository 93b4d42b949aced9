/** A chat at a terminal: what happens is printed, and what one types below is sent. */
import { ok, type Result } from "@atelier/base/result";
import {
  EMPTY_CHAT_VIEW,
  isBusy,
  turnMessageId,
  type ChatView,
} from "@atelier/contract/chat/chat-view";
import { sendChatMessage, type Chat } from "@atelier/contract/http/chats";
import { EXIT_CODES, type CliFailure } from "../cli-failure.ts";
import type { Api, Cli } from "../cli.ts";
import type { CommandOutcome } from "../command.ts";
import { failureText } from "../output/people.ts";
import { safe } from "../output/terminal-safe.ts";
import { ChatPrinter } from "./chat-printer.ts";
import type { LiveScreen } from "./chat-screen.ts";
import { statusText } from "./chat-status.ts";
import { liveScreen } from "./follow-turn.ts";
import { LineEditor } from "./line-editor.ts";
import { SESSION_RUNS, type SessionState } from "./session-commands.ts";
import { parseSessionLine } from "./session-lines.ts";
import { watchChat } from "./watch-chat.ts";

const TICK_MS = 1_000;

/** `afterId`: messages up to this one are on the terminal already. */
export async function runSession(
  cli: Cli,
  api: Api,
  { chat, afterId }: { readonly chat: Chat; readonly afterId: number },
): CommandOutcome {
  const session = new Session(cli, api, chat);
  const title = safe`${chat.title} · ${chat.id.slice(0, 8)} · /help shows what else there is`;
  return session.run(title, afterId);
}

class Session {
  readonly #cli: Cli;
  readonly #state: SessionState;
  readonly #screen: LiveScreen;
  readonly #left = new AbortController();
  #view: ChatView = EMPTY_CHAT_VIEW;
  /** The newest message that is known to have entered the history, wherever that was heard. */
  #asked: number | undefined;
  #isLost = false;
  /** Lines are dealt with in the order in which they were typed. */
  #work: Promise<void> = Promise.resolve();

  constructor(cli: Cli, api: Api, chat: Chat) {
    this.#cli = cli;
    this.#asked = chat.turn_message_id;
    const turn = () => this.#asked;
    this.#state = { api, chatId: chat.id, turn, modelId: null, effort: null };
    this.#screen = liveScreen(cli);
  }

  async run(title: string, afterId: number): CommandOutcome {
    const { streams, look, signal } = this.#cli;
    const screen = this.#screen;
    const leave = (): void => this.#left.abort();
    signal.addEventListener("abort", leave, { once: true });
    const endResize = streams.onResize(() => screen.redraw());
    this.#say(look.colors.dim(`── ${title}`));
    const editor = new LineEditor(
      { streams, write: (text) => this.#cli.printOut(text) },
      {
        line: (line) => this.#line(line),
        leave,
        changed: (typed) => screen.typed(typed),
      },
    );
    this.#tick().catch(() => {}); // The session is over.
    try {
      const watched = await this.#watch(afterId);
      if (!watched.ok && watched.failure.code !== "cli.cancelled") return watched;
    } finally {
      leave();
      editor[Symbol.dispose]();
      await this.#work;
      screen.close();
      endResize();
      signal.removeEventListener("abort", leave);
    }
    const { chatId } = this.#state;
    const { status } = this.#view;
    const doing = status !== null && isBusy(status) ? "The chat works on. " : "";
    this.#cli.note(`${doing}Go back to it: atelier chat attach ${chatId}`);
    return ok({ kind: "exited", exitCode: EXIT_CODES.done });
  }

  #watch(afterId: number): Promise<Result<ChatView, CliFailure>> {
    const { api, chatId } = this.#state;
    const printer = new ChatPrinter(this.#cli.look, afterId);
    return watchChat(
      this.#cli,
      api,
      { chatId, afterId, signal: this.#left.signal },
      {
        event: (before, view, event) => this.#screen.print(printer.take(before, view, event)),
        settled: (view) => {
          this.#view = view;
          this.#heardOf(turnMessageId(view));
          this.#showStatus();
          return false;
        },
        connected: (isConnected) => {
          this.#isLost = !isConnected;
          this.#showStatus();
        },
      },
    );
  }

  #heardOf(asked: number | undefined): void {
    this.#asked = Math.max(asked ?? 0, this.#asked ?? 0) || undefined;
  }

  #showStatus(): void {
    this.#screen.status(statusText(this.#view, this.#cli.clock.now(), this.#isLost));
  }

  async #tick(): Promise<void> {
    for (;;) {
      await this.#cli.clock.sleep(TICK_MS, this.#left.signal);
      this.#showStatus();
    }
  }

  #say(text: string): void {
    if (text !== "") this.#screen.print([{ kind: "notice", text }]);
  }

  #line(line: string): void {
    const meant = parseSessionLine(line);
    if (meant.kind === "command" && meant.command === "quit") {
      this.#left.abort();
      return;
    }
    this.#work = this.#work.then(async () => {
      const done = await this.#deal(meant);
      this.#say(done.ok ? done.value : failureText(this.#cli.look, done.failure));
    });
  }

  async #deal(meant: ReturnType<typeof parseSessionLine>): Promise<Result<string, CliFailure>> {
    if (meant.kind === "message") return this.#send(meant.text);
    if (meant.kind === "unknown") {
      return ok(safe`There is no /${meant.word}. See /help; // begins a message with a slash.`);
    }
    if (meant.command === "quit") return ok("");
    return SESSION_RUNS[meant.command](this.#state, meant.rest);
  }

  async #send(text: string): Promise<Result<string, CliFailure>> {
    const { api, chatId, modelId, effort } = this.#state;
    const sent = await api.call(sendChatMessage, {
      params: { chat: chatId },
      body: {
        content: [{ type: "text", text }],
        ...(modelId === null ? {} : { model_config_id: modelId }),
        ...(effort === null ? {} : { reasoning_effort: effort }),
        idempotency_key: this.#cli.random.uuid(),
      },
    });
    if (!sent.ok) return sent;
    this.#heardOf(sent.value.message?.id);
    return ok((sent.value.warnings ?? []).map((each) => safe`Warning: ${each}`).join("\n"));
  }
}
