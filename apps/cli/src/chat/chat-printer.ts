/**
 * What is printed of a chat, event by event, and never taken back: a screen gets prose as it comes, and
 * whole lines for all that is not prose. What was printed while it was being written is not printed
 * again when it is stored; what the stored text has more, is.
 *
 * Pure, but for what it remembers. All that comes out is harmless for a terminal.
 */
import type { ChatView } from "@atelier/contract/chat/chat-view";
import type { MessagePart, ToolResultPart } from "@atelier/contract/chat/message-part";
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { ChatMessage, ChatQueuedMessage } from "@atelier/contract/http/chats";
import type { Look } from "../output/people.ts";
import { proseSafe, safe, terminalSafe } from "../output/terminal-safe.ts";
import { errorLines } from "./error-steps.ts";
import { messageText } from "./message-text.ts";
import {
  callOf,
  callText,
  durationText,
  historyMark,
  questionLines,
  resultText,
} from "./tool-line.ts";

/** Prose goes on where prose ended; a line stands alone. */
export type Printed =
  | { readonly kind: "prose"; readonly text: string }
  | { readonly kind: "line"; readonly text: string }
  /** A line that has nothing to do with the prose, and does not end it. */
  | { readonly kind: "notice"; readonly text: string }
  /** The prose is over: what comes next begins a line. */
  | { readonly kind: "end" };

type Block = { readonly type: "text" | "reasoning" | "tool-call"; printed: string };

/** A message longer than this is shown by its beginning, where it only says which one it is. */
const EXCERPT_MAX = 80;

export class ChatPrinter {
  readonly #look: Look;
  readonly #sinceId: number;
  readonly #printedMessages = new Set<number>();
  readonly #printedResults = new Set<string>();
  /** Of the preview, as far as it is printed. */
  #blocks: Block[] = [];
  #queue: ReadonlyMap<number, ChatQueuedMessage> | null = null;
  /** Texts that this terminal sent and shows already. */
  #own: string[] = [];
  #out: Printed[] = [];

  /** Messages up to `sinceId` are printed already, or not wanted. */
  constructor(look: Look, sinceId = 0) {
    this.#look = look;
    this.#sinceId = sinceId;
  }

  /** A message of this text is not printed once: whoever sent it sees it. */
  hideOnce(text: string): void {
    this.#own.push(text);
  }

  /** `view`: after the event; `before`: before it. */
  take(before: ChatView, view: ChatView, event: ChatStreamEvent): readonly Printed[] {
    switch (event.type) {
      case "message":
        this.#message(view, event.message);
        break;
      case "message_part":
        this.#preview(view);
        break;
      case "preview_reset":
        this.#dropPreview();
        break;
      case "history_reset":
        if (before.messages.length > 0) this.#mark("The history was changed.");
        break;
      case "queue_update":
        this.#queueUpdate(view);
        break;
      case "status":
        if (before.status === "interrupting" && view.status === "waiting") {
          this.#line(this.#look.colors.dim("Interrupted."));
        }
        break;
      case "error": {
        const [first = "", ...others] = errorLines(event.error);
        this.#line([`${this.#look.colors.red("Error:")} ${first}`, ...others].join("\n"));
        break;
      }
      case "retry": {
        const { attempt, error, delay_ms: delayMs } = event.retry;
        const wait = durationText(delayMs);
        this.#line(
          this.#look.colors.dim(
            safe`Attempt ${attempt} failed: ${error} The next one is in ${wait}.`,
          ),
        );
        break;
      }
      case "action_required":
        this.#actionRequired(event.action_required.tool_calls);
        break;
    }
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #line(text: string): void {
    this.#out.push({ kind: "line", text });
  }

  #mark(text: string): void {
    this.#line(this.#look.colors.dim(`── ${text}`));
  }

  #prose(text: string): void {
    if (text !== "") this.#out.push({ kind: "prose", text });
  }

  #message(view: ChatView, message: ChatMessage): void {
    if (message.id <= this.#sinceId || this.#printedMessages.has(message.id)) return;
    this.#printedMessages.add(message.id);
    switch (message.role) {
      case "system":
        return;
      case "user": {
        const text = messageText(message.content);
        const own = this.#own.indexOf(text);
        if (own === -1) this.#line(this.#look.colors.bold(indented("› ", proseSafe(text))));
        else this.#own.splice(own, 1);
        return;
      }
      case "tool":
        for (const part of message.content) this.#committedPart(view, part);
        return;
      case "assistant":
        this.#answer(view, message.content);
    }
  }

  /** An answer that is stored: what the preview showed of it is there already. */
  #answer(view: ChatView, content: readonly MessagePart[]): void {
    let place = 0;
    for (const part of compacted(content)) {
      // Blank blocks are shown, and not stored.
      const found = this.#blocks.findIndex(({ type }, at) => at >= place && type === part.type);
      const isShown = found !== -1;
      const printed = this.#blocks[found]?.printed ?? "";
      if (isShown) place = found + 1;
      if (part.type === "text") {
        const text = proseSafe(part.text);
        if (text.startsWith(printed)) {
          this.#prose(text.slice(printed.length));
        } else {
          this.#out.push({ kind: "end" });
          this.#prose(text);
        }
        this.#out.push({ kind: "end" });
      } else if (part.type === "reasoning") {
        if (printed === "") this.#reasoning(part);
      } else {
        // Ids of calls may come again in another answer.
        if (part.type === "tool-call" && !isShown) this.#printedResults.delete(part.tool_call_id);
        this.#committedPart(view, part);
      }
    }
    this.#blocks = [];
  }

  #committedPart(view: ChatView, part: MessagePart): void {
    const { dim } = this.#look.colors;
    switch (part.type) {
      case "tool-result":
        this.#result(view, part);
        break;
      case "source":
        this.#line(dim(safe`  source: ${part.title ?? ""} ${part.url}`));
        break;
      case "file":
        this.#line(dim(safe`  file: ${part.name ?? part.file_id ?? ""} (${part.media_type})`));
        break;
      case "text":
      case "reasoning":
      case "tool-call":
      case "file-reference":
      case "context-file":
      case "skill":
        break;
    }
  }

  #preview(view: ChatView): void {
    const parts = view.preview?.parts ?? [];
    let place = 0;
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1;
      if (part.type === "text" || part.type === "reasoning" || part.type === "tool-call") {
        this.#previewBlock(place, part, isLast);
        place += 1;
      } else if (part.type === "tool-result" && isWhole(part)) {
        this.#result(view, part);
      }
    }
  }

  #previewBlock(
    place: number,
    part: Extract<MessagePart, { type: "text" | "reasoning" | "tool-call" }>,
    isLast: boolean,
  ): void {
    let block = this.#blocks[place];
    if (block === undefined) {
      block = { type: part.type, printed: "" };
      this.#blocks.push(block);
      if (part.type === "tool-call") this.#printedResults.delete(part.tool_call_id);
    }
    if (part.type === "text") {
      const text = proseSafe(settled(part.text));
      this.#prose(text.slice(block.printed.length));
      block.printed = text;
    } else if (part.type === "reasoning" && block.printed === "") {
      if (isLast && part.completed_at === undefined) return;
      block.printed = "shown";
      this.#reasoning(part);
    }
  }

  #reasoning(part: Extract<MessagePart, { type: "reasoning" }>): void {
    if (part.text.trim() === "") return;
    const { created_at: begun, completed_at: ended } = part;
    const took =
      begun === undefined || ended === undefined
        ? ""
        : ` for ${durationText(Date.parse(ended) - Date.parse(begun))}`;
    const first = terminalSafe(part.text.trim().split("\n")[0] ?? "");
    this.#line(this.#look.colors.dim(`· Thought${took}: ${excerpt(first)}`));
  }

  #result(view: ChatView, result: ToolResultPart): void {
    if (this.#printedResults.has(result.tool_call_id)) return;
    this.#printedResults.add(result.tool_call_id);
    const mark = historyMark(result);
    if (mark !== null) {
      this.#mark(mark);
      return;
    }
    const { colors } = this.#look;
    const call = findCall(view, result.tool_call_id);
    const end = resultText(call, result);
    const sign = end.isFailed ? colors.red("✗") : colors.green("✓");
    const text = call === null ? terminalSafe(result.tool_name) : callText(call);
    const tail = end.text === "" ? "" : `  ${end.isFailed ? end.text : colors.dim(end.text)}`;
    this.#line(`${sign} ${text}${tail}`);
    for (const line of call === null ? [] : questionLines(call)) this.#line(`? ${line}`);
  }

  #dropPreview(): void {
    const hadProse = this.#blocks.some(({ type, printed }) => type === "text" && printed !== "");
    this.#blocks = [];
    if (hadProse) this.#mark("This attempt broke off; the answer begins anew.");
  }

  #queueUpdate({ queue }: ChatView): void {
    const known = this.#queue;
    this.#queue = new Map(queue.map((each) => [each.id, each]));
    for (const { id, content } of queue) {
      const text = messageText(content);
      const earlier = known?.get(id);
      if (earlier !== undefined && messageText(earlier.content) === text) continue;
      const verb = earlier === undefined ? "Queued" : "Changed in the queue";
      const notice = this.#look.colors.dim(safe`${verb} #${id}: ${excerpt(text)}`);
      this.#out.push({ kind: "notice", text: notice });
    }
  }

  #actionRequired(calls: readonly { readonly tool_name: string; readonly args: unknown }[]): void {
    const { yellow } = this.#look.colors;
    this.#line(yellow("The chat waits for the results of its client's own tools:"));
    for (const { tool_name: name, args } of calls) {
      this.#line(safe`  ${name} ${JSON.stringify(args) ?? ""}`);
    }
  }
}

/** Where the call is: in the preview, or in the last answers. */
export function findCall(view: ChatView, id: string): ReturnType<typeof callOf> {
  const live = callOf(view.preview?.parts ?? [], id);
  if (live !== null) return live;
  for (const { role, content } of view.messages.toReversed()) {
    if (role !== "assistant") continue;
    const call = callOf(content, id);
    if (call !== null) return call;
  }
  return null;
}

/** A result that is not being written any more. */
export function isWhole(part: ToolResultPart): boolean {
  return part.result_delta === undefined && part.result_reset !== true;
}

/** Texts that follow each other as one, without blank ones: as a preview has them. */
function compacted(content: readonly MessagePart[]): readonly MessagePart[] {
  const parts: MessagePart[] = [];
  for (const part of content) {
    const last = parts.at(-1);
    if (part.type === "text" && last?.type === "text") {
      parts[parts.length - 1] = { ...last, text: last.text + part.text };
    } else {
      parts.push(part);
    }
  }
  return parts;
}

/** Without the half of a character or of a line break, whose other half comes with the next piece. */
function settled(text: string): string {
  return text.replace(/[\ud800-\udbff\r]$/, "");
}

function excerpt(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > EXCERPT_MAX ? `${line.slice(0, EXCERPT_MAX - 1)}…` : line;
}

function indented(sign: string, text: string): string {
  return sign + text.trimEnd().replaceAll("\n", `\n${" ".repeat(sign.length)}`);
}
