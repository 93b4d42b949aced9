/**
 * A chat's messages, and the answer that is being written, as the rows of its transcript: calls with
 * their results in one row, wherever the two stand.
 *
 * A row's key names the message before it, so the answer that is being written keeps its rows when it
 * becomes a message: nothing on the screen is made anew.
 */
import type { ChatPreview } from "@atelier/contract/chat/chat-view";
import type {
  MessagePart,
  ToolCallPart,
  ToolResultPart,
} from "@atelier/contract/chat/message-part";
import type { ChatError } from "@atelier/contract/chat/chat-words";
import type { ChatMessage, ChatUsage } from "@atelier/contract/http/chats";
import type { Outgoing } from "../composer/outbox.ts";

type PartOf<Type extends MessagePart["type"]> = Extract<MessagePart, { type: Type }>;

export type ToolRow = {
  readonly kind: "tool";
  readonly key: string;
  /** Null: it stands in a message that is not here. */
  readonly call: ToolCallPart | null;
  /** Null: not there yet, or never. While it is being written, in `result_delta`. */
  readonly result: ToolResultPart | null;
};

export type Row =
  | {
      readonly kind: "prompt";
      readonly key: string;
      readonly id: number;
      readonly sentAt: string;
      readonly parts: readonly MessagePart[];
    }
  | { readonly kind: "text"; readonly key: string; readonly text: string }
  | { readonly kind: "reasoning"; readonly key: string; readonly part: PartOf<"reasoning"> }
  | ToolRow
  | { readonly kind: "mark"; readonly key: string; readonly tool: ToolRow }
  | { readonly kind: "file"; readonly key: string; readonly file: PartOf<"file"> }
  | {
      readonly kind: "sources";
      readonly key: string;
      readonly sources: readonly PartOf<"source">[];
    }
  | { readonly kind: "context"; readonly key: string; readonly text: string }
  | {
      readonly kind: "usage";
      readonly key: string;
      readonly usage: ChatUsage;
      readonly modelConfigId: string | null;
    };

/** With what stands behind all messages. */
export type ShownRow =
  | Row
  | { readonly kind: "outgoing"; readonly key: string; readonly outgoing: Outgoing }
  | { readonly kind: "failure"; readonly key: string; readonly error: ChatError };

/** Tools that the chat itself writes into its history, to say what happened to it. */
export const SUMMARY_TOOL = "chat_summarized";
export const CLEAR_TOOL = "chat_cleared";
export const PLAN_TOOL = "propose_plan";

export type CommittedRows = {
  readonly rows: readonly Row[];
  /** Of calls, by their ids: where their results go. The last call with an id counts. */
  readonly places: ReadonlyMap<string, number>;
  readonly lastId: number | null;
};

export function rowsOfMessages(messages: readonly ChatMessage[]): CommittedRows {
  const builder = new RowBuilder([], new Map());
  let previousId: number | null = null;
  for (const message of messages) {
    builder.addMessage(message, String(previousId ?? "first"));
    previousId = message.id;
  }
  return { rows: builder.rows, places: builder.places, lastId: previousId };
}

/** With the answer that is being written behind them. Rows before it stay the same objects. */
export function withPreview(
  { rows, places, lastId }: CommittedRows,
  preview: ChatPreview | null,
): readonly Row[] {
  if (preview === null || preview.parts.length === 0) return rows;
  const builder = new RowBuilder([...rows], new Map(places));
  builder.addParts(preview.parts, String(lastId ?? "first"));
  return builder.rows;
}

/** Messages on their way, unless they are shown elsewhere already, and why the last turn ended. */
export function withTail(
  rows: readonly Row[],
  tail: { readonly outgoing: readonly Outgoing[]; readonly error: ChatError | null },
): readonly ShownRow[] {
  const shown = tail.outgoing.filter(
    ({ state }) =>
      (state.kind === "sending" && state.toldAs === null) ||
      (state.kind === "arrived" && state.messageId !== null),
  );
  if (shown.length === 0 && tail.error === null) return rows;
  return [
    ...rows,
    ...(tail.error === null
      ? []
      : [{ kind: "failure" as const, key: "failure", error: tail.error }]),
    ...shown.map((outgoing) => ({
      ...{ kind: "outgoing" as const, key: `outgoing ${outgoing.key}`, outgoing },
    })),
  ];
}

class RowBuilder {
  readonly rows: Row[];
  readonly places: Map<string, number>;

  constructor(rows: Row[], places: Map<string, number>) {
    this.rows = rows;
    this.places = places;
  }

  addMessage(message: ChatMessage, before: string): void {
    const { id, role, content, created_at: sentAt, usage } = message;
    if (role === "system") return;
    if (role === "user") {
      this.rows.push({ kind: "prompt", key: `${before}>0`, id, sentAt, parts: content });
      return;
    }
    this.addParts(content, before);
    if (role === "assistant" && usage !== undefined) {
      const modelConfigId = message.model_config_id ?? null;
      this.rows.push({ kind: "usage", key: `${before}>usage`, usage, modelConfigId });
    }
  }

  addParts(parts: readonly MessagePart[], before: string): void {
    const sources: PartOf<"source">[] = [];
    for (const [index, part] of parts.entries()) {
      if (part.type === "source") sources.push(part);
      else this.#addPart(part, `${before}>${index}`);
    }
    if (sources.length > 0) this.rows.push({ kind: "sources", key: `${before}>sources`, sources });
  }

  #addPart(part: Exclude<MessagePart, { type: "source" }>, key: string): void {
    switch (part.type) {
      case "text":
        if (part.text.trim() !== "") this.rows.push({ kind: "text", key, text: part.text });
        return;
      case "reasoning":
        if (part.text.trim() !== "") this.rows.push({ kind: "reasoning", key, part });
        return;
      case "tool-call":
        this.places.set(part.tool_call_id, this.rows.length);
        this.rows.push(toRow({ kind: "tool", key, call: part, result: null }));
        return;
      case "tool-result":
        this.#addResult(part, key);
        return;
      case "file":
        if (!this.#isPlan(part)) this.rows.push({ kind: "file", key, file: part });
        return;
      case "context-file":
        this.rows.push({ kind: "context", key, text: `Read ${part.context_file_path}` });
        return;
      case "skill":
        this.rows.push({ kind: "context", key, text: `Skill ${part.skill_name}` });
        return;
      case "file-reference":
        this.rows.push({ kind: "context", key, text: `${part.file_name}:${part.start_line}` });
    }
  }

  #addResult(result: ToolResultPart, key: string): void {
    const place = this.places.get(result.tool_call_id);
    const row = place === undefined ? undefined : this.rows[place];
    const tool = row?.kind === "mark" ? row.tool : row;
    if (place === undefined || tool?.kind !== "tool") {
      this.rows.push(toRow({ kind: "tool", key, call: null, result }));
    } else this.rows[place] = toRow({ ...tool, result });
  }

  /** The plan's card shows it already. */
  #isPlan({ file_id: fileId }: PartOf<"file">): boolean {
    return this.rows.some(
      (row) =>
        row.kind === "tool" &&
        row.result?.tool_name === PLAN_TOOL &&
        planFileOf(row.result) === fileId,
    );
  }
}

function toRow(tool: ToolRow): Row {
  const name = tool.call?.tool_name ?? tool.result?.tool_name;
  const isMark = name === SUMMARY_TOOL || name === CLEAR_TOOL;
  return isMark ? { kind: "mark", key: tool.key, tool } : tool;
}

/** Null: there is none, as when it was refused. */
export function planFileOf({ result }: ToolResultPart): string | null {
  if (typeof result !== "object" || result === null || !("file_id" in result)) return null;
  return typeof result.file_id === "string" ? result.file_id : null;
}

/** The row of a question or a plan that the person has not answered: it is the last thing that happened. */
export function openRequestKey(rows: readonly ShownRow[]): string | null {
  const prompt = rows.findLastIndex(({ kind }) => kind === "prompt");
  const found = rows.findLast(
    (row, index) =>
      index > prompt &&
      row.kind === "tool" &&
      row.result !== null &&
      row.result.is_error !== true &&
      (row.call?.tool_name === PLAN_TOOL || row.call?.tool_name === "ask_user_question"),
  );
  return found?.key ?? null;
}

/** What people wrote, without what is attached. */
export function promptText(parts: readonly MessagePart[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}
