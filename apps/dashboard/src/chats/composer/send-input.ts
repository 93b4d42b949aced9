/** A message as it is sent: what was written, what is attached, and with which choices. */
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { ChatInputPart } from "@atelier/contract/http/chats";

/** A file that the server has. */
export type SentFile = { readonly id: string; readonly name: string; readonly mediaType: string };

/** Lines of a file that are commented on. */
export type SentReference = Omit<Extract<ChatInputPart, { type: "file-reference" }>, "type">;

export type SendInput = {
  readonly text: string;
  readonly files: readonly SentFile[];
  readonly references: readonly SentReference[];
  readonly busyBehavior: "queue" | "interrupt";
  /** Null: as they are. */
  readonly modelConfigId: string | null;
  readonly effort: ReasoningEffort | null;
  readonly planMode: "plan" | "" | null;
  /** The tool servers of the chat from here on. */
  readonly serverIds: readonly string[] | null;
};

export const PLAIN_SEND: SendInput = {
  text: "",
  files: [],
  references: [],
  busyBehavior: "queue",
  modelConfigId: null,
  effort: null,
  planMode: null,
  serverIds: null,
};

export function contentOf({
  text,
  files,
  references,
}: Pick<SendInput, "text" | "files" | "references">): ChatInputPart[] {
  return [
    ...references.map((reference) => ({ type: "file-reference" as const, ...reference })),
    ...(text.trim() === "" ? [] : [{ type: "text" as const, text }]),
    ...files.map(({ id }) => ({ type: "file" as const, file_id: id })),
  ];
}

/** A message that was sent, as it can be sent again. */
export function inputOf(
  parts: readonly MessagePart[],
): Pick<SendInput, "text" | "files" | "references"> {
  const texts: string[] = [];
  const files: SentFile[] = [];
  const references: SentReference[] = [];
  for (const part of parts) {
    if (part.type === "text") texts.push(part.text);
    if (part.type === "file" && part.file_id !== undefined) {
      files.push({ id: part.file_id, name: part.name ?? "file", mediaType: part.media_type });
    }
    if (part.type === "file-reference") {
      const { type: _type, ...reference } = part;
      references.push(reference);
    }
  }
  return { text: texts.join("\n"), files, references };
}

/** As it is shown before the server has it. */
export function partsOf({ text, files, references }: SendInput): MessagePart[] {
  return [
    ...references.map((reference) => ({ type: "file-reference" as const, ...reference })),
    ...(text.trim() === "" ? [] : [{ type: "text" as const, text }]),
    ...files.map(({ id, name, mediaType }) => ({
      ...{ type: "file" as const, file_id: id, name, media_type: mediaType },
    })),
  ];
}

/** As the server takes it. Sent again with the same key it is done once. */
export function sendBody(input: SendInput, key: string) {
  const { busyBehavior, modelConfigId, effort, planMode, serverIds } = input;
  return {
    content: contentOf(input),
    busy_behavior: busyBehavior,
    ...(modelConfigId === null ? {} : { model_config_id: modelConfigId }),
    ...(effort === null ? {} : { reasoning_effort: effort }),
    ...(planMode === null ? {} : { plan_mode: planMode }),
    ...(serverIds === null ? {} : { mcp_server_ids: [...serverIds] }),
    idempotency_key: key,
  };
}
