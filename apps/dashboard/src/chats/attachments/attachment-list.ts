/**
 * Files beside a message that is being written: what each is doing, as one pure list. Those that the
 * server holds outlive a reload; a file that was on its way does not, because browsers do not give it back.
 */
import type { ApiProblem } from "@atelier/contract/client";
import { CHAT_FILE_BYTES_MAX, CHAT_FILE_MEDIA_TYPES } from "@atelier/contract/http/chat-files";
import type { ChatInputPart } from "@atelier/contract/http/chats";

/** A chat keeps its newest ones: more in one message would push each other out. */
export const ATTACHMENTS_MAX = 20;

export type AttachmentState =
  | { readonly kind: "uploading"; readonly share: number }
  | { readonly kind: "ready"; readonly fileId: string }
  | { readonly kind: "failed"; readonly problem: ApiProblem };

export type Attachment = {
  readonly key: string;
  readonly name: string;
  /** As the browser says; empty: it does not know. */
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly state: AttachmentState;
};

/** Why a file is not even sent. Null: it may be. */
export function refusalOf(
  file: { readonly name: string; readonly size: number },
  count: number,
): string | null {
  if (file.size === 0) return `${file.name} is empty.`;
  if (file.size > CHAT_FILE_BYTES_MAX) {
    return `${file.name} is ${sizeText(file.size)}. At most ${sizeText(CHAT_FILE_BYTES_MAX)} fit.`;
  }
  if (count >= ATTACHMENTS_MAX) return `A message takes at most ${ATTACHMENTS_MAX} files.`;
  return null;
}

/** Types that chats keep are named; of others the server looks at what the file holds. */
export function sentMediaType(mediaType: string): string {
  const plain = mediaType.split(";")[0]?.trim().toLowerCase() ?? "";
  const isKept = (CHAT_FILE_MEDIA_TYPES as readonly string[]).includes(plain);
  return isKept ? plain : "application/octet-stream";
}

export function isImage({ mediaType }: Pick<Attachment, "mediaType">): boolean {
  return sentMediaType(mediaType).startsWith("image/");
}

export function withState(
  list: readonly Attachment[],
  key: string,
  state: AttachmentState,
): readonly Attachment[] {
  return list.map((each) => (each.key === key ? { ...each, state } : each));
}

/** What a message names of them: those that the server holds. */
export function fileParts(list: readonly Attachment[]): readonly ChatInputPart[] {
  return list.flatMap(({ state }) =>
    state.kind === "ready" ? [{ type: "file" as const, file_id: state.fileId }] : [],
  );
}

export function isUploading(list: readonly Attachment[]): boolean {
  return list.some(({ state }) => state.kind === "uploading");
}

/** What of them is kept with a draft. Null: nothing. */
export function draftOf(list: readonly Attachment[]): string | null {
  const ready = list.filter(({ state }) => state.kind === "ready");
  return ready.length === 0 ? null : JSON.stringify(ready);
}

export function fromDraft(text: string | null): readonly Attachment[] {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(parsed) ? parsed.filter(isReadyAttachment) : [];
  } catch {
    return []; // Whatever stands there, it is no draft.
  }
}

function isReadyAttachment(value: unknown): value is Attachment {
  if (typeof value !== "object" || value === null) return false;
  const { key, name, mediaType, sizeBytes, state } = value as Partial<Attachment>;
  return (
    typeof key === "string" &&
    typeof name === "string" &&
    typeof mediaType === "string" &&
    typeof sizeBytes === "number" &&
    state?.kind === "ready" &&
    typeof state.fileId === "string"
  );
}

export function sizeText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} bytes`;
  if (bytes < 1_024 * 1_024) return `${Math.round(bytes / 1_024)} KiB`;
  return `${Math.round((bytes / (1_024 * 1_024)) * 10) / 10} MiB`;
}
