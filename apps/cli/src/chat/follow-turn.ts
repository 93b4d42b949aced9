/**
 * Prints a chat until its turn is over, for people and for programs. Ctrl-C leaves: the chat works on.
 */
import { ok } from "@atelier/base/result";
import { turnEnd, type ChatView } from "@atelier/contract/chat/chat-view";
import { EXIT_CODES, type ExitCode } from "../cli-failure.ts";
import type { Api, Cli } from "../cli.ts";
import type { CommandOutcome } from "../command.ts";
import { proseSafe } from "../output/terminal-safe.ts";
import { formatJsonLine } from "../output/json.ts";
import { ChatPrinter } from "./chat-printer.ts";
import { LiveScreen, plainScreen, type ChatScreen } from "./chat-screen.ts";
import { statusText } from "./chat-status.ts";
import { finalAnswer } from "./message-text.ts";
import { watchChat } from "./watch-chat.ts";

export type Follow = {
  readonly chatId: string;
  /** Messages up to this one are not printed. */
  readonly afterId: number;
  /** What was just sent; null: nothing. */
  readonly sent: { readonly text: string; readonly queuedId: number | null } | null;
  readonly isQuiet: boolean;
  /** Goes on when the turn is over. */
  readonly isEndless: boolean;
};

const TICK_MS = 1_000;

export async function followTurn(cli: Cli, api: Api, follow: Follow): CommandOutcome {
  const { chatId, afterId, sent, isQuiet, isEndless } = follow;
  const output = cli.flags.isJson || isQuiet ? SILENT : screenOf(cli);
  const printer = new ChatPrinter(cli.look, afterId);
  if (sent !== null) printer.hideOnce(sent.text);
  let view: ChatView | null = null;
  let isLost = false;
  const showStatus = (): void => {
    if (view !== null) output.status(statusText(view, cli.clock.now(), isLost));
  };
  const over = new AbortController();
  const tick = async (): Promise<void> => {
    for (;;) {
      await cli.clock.sleep(TICK_MS, over.signal);
      showStatus();
    }
  };
  tick().catch(() => {}); // The turn is over.
  const watched = await watchChat(
    cli,
    api,
    { chatId, afterId, signal: cli.signal },
    {
      event: (before, after, event) => {
        if (cli.flags.isJson) cli.printOut(`${formatJsonLine(event)}\n`);
        else output.print(printer.take(before, after, event));
      },
      settled: (after) => {
        view = after;
        showStatus();
        return !isEndless && turnEnd(after) !== null && !isWaiting(after, sent?.queuedId ?? null);
      },
      connected: (isConnected) => {
        isLost = !isConnected;
        showStatus();
      },
    },
  );
  over.abort();
  output.close();
  if (!watched.ok) {
    if (watched.failure.code === "cli.cancelled") {
      cli.note(`The chat works on. Go back to it: atelier chat attach ${chatId}`);
      return ok({ kind: "exited", exitCode: EXIT_CODES.cancelled });
    }
    return watched;
  }
  if (isQuiet && !cli.flags.isJson) printQuiet(cli, watched.value, afterId);
  return ok({ kind: "exited", exitCode: exitCodeOf(watched.value) });
}

/** Only the answer, and why there is none. */
function printQuiet(cli: Cli, view: ChatView, afterId: number): void {
  const answer = finalAnswer(view, afterId);
  if (answer !== null) cli.printOut(`${proseSafe(answer).trimEnd()}\n`);
  if (view.error !== null) cli.printErr(`Error: ${proseSafe(view.error.message)}\n`);
}

/** A message that was queued begins a turn of its own, unless the turn before it ended in an error. */
function isWaiting(view: ChatView, queuedId: number | null): boolean {
  return view.status === "waiting" && view.queue.some(({ id }) => id === queuedId);
}

export function exitCodeOf(view: ChatView): ExitCode {
  switch (turnEnd(view)) {
    case "error":
      return EXIT_CODES.turnFailed;
    case "requires_action":
      return EXIT_CODES.actionRequired;
    case "done":
    case null:
      return EXIT_CODES.done;
  }
}

/** On a terminal what goes on is shown below; in a pipe the answer goes to stdout, all else to stderr. */
export function screenOf(cli: Cli): ChatScreen {
  if (!cli.streams.isOutputTerminal) {
    return plainScreen(
      (text) => cli.printOut(text),
      (text) => cli.printErr(text),
    );
  }
  return liveScreen(cli);
}

export function liveScreen(cli: Cli): LiveScreen {
  return new LiveScreen({
    write: (text) => cli.printOut(text),
    size: () => cli.streams.size(),
    dim: (text) => cli.look.colors.dim(text),
  });
}

const SILENT: ChatScreen = { print: () => {}, status: () => {}, close: () => {} };
