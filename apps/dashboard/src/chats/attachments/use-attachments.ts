/** Files that people add to a message by paste, drag or picking: sent at once, while they still write. */
import { systemRandom } from "@atelier/base/system-random";
import { answerOf } from "@atelier/contract/client";
import { uploadChatFile } from "@atelier/contract/http/chat-files";
import type { ChatInputPart } from "@atelier/contract/http/chats";
import { useCallback, useEffect, useMemo, useRef, useState, type ClipboardEvent } from "react";
import { keep, kept } from "../../browser/host.ts";
import { uploadBytes } from "../../browser/upload.ts";
import {
  draftOf,
  fileParts,
  fromDraft,
  isUploading,
  refusalOf,
  sentMediaType,
  withState,
  type Attachment,
} from "./attachment-list.ts";

export type Attachments = {
  readonly items: readonly Attachment[];
  /** Why files were not taken, since the last time some were added. */
  readonly refusals: readonly string[];
  readonly isUploading: boolean;
  /** What the message names. */
  readonly parts: readonly ChatInputPart[];
  add(files: Iterable<File>): void;
  /** Sends one that failed again. */
  retry(key: string): void;
  remove(key: string): void;
  /** After the message was taken. */
  clear(): void;
  /** For the message's field: files in the clipboard are added, texts are pasted as always. */
  readonly onPaste: (event: ClipboardEvent) => void;
};

/** `draft` keeps what is uploaded over a reload of the tab, under this name. */
export function useAttachments(draft: string): Attachments {
  const draftName = `draft.${draft}.files`;
  const [items, setItems] = useState(() => fromDraft(kept("tab", draftName)));
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const sending = useRef(new Map<string, Sending>());
  useEffect(() => keep("tab", draftName, draftOf(items)), [draftName, items]);
  useEffect(() => {
    const all = sending.current;
    return () => {
      for (const { stop } of all.values()) stop.abort();
    };
  }, []);

  const start = useCallback((key: string, file: File) => {
    const stop = new AbortController();
    sending.current.set(key, { file, stop });
    const tell = (state: Attachment["state"]): void => {
      if (!stop.signal.aborted) setItems((list) => withState(list, key, state));
    };
    tell({ kind: "uploading", share: 0 });
    send(file, stop.signal, (share) => tell({ kind: "uploading", share })).then(
      tell,
      () => {}, // It never rejects: failures are values.
    );
  }, []);
  // The same object until something changes: what shows it is not drawn with each letter.
  return useMemo(() => {
    const add = (files: Iterable<File>): void => {
      const { taken, refused } = sorted(files, items.length);
      for (const { item, file } of taken) start(item.key, file);
      setRefusals(refused);
      setItems((list) => [...list, ...taken.map(({ item }) => item)]);
    };
    return {
      items,
      refusals,
      isUploading: isUploading(items),
      parts: fileParts(items),
      add,
      retry: (key) => {
        const file = sending.current.get(key)?.file;
        if (file !== undefined) start(key, file);
      },
      remove: (key) => {
        sending.current.get(key)?.stop.abort();
        sending.current.delete(key);
        setRefusals([]);
        setItems((list) => list.filter((each) => each.key !== key));
      },
      clear: () => {
        setItems([]);
        setRefusals([]);
      },
      onPaste: (event) => {
        const files = [...event.clipboardData.files];
        if (files.length === 0 || isPictureOf(event.clipboardData, files)) return;
        event.preventDefault();
        add(files);
      },
    };
  }, [items, refusals, start]);
}

/** Those that are taken beside `count` others, and why the rest is not. */
function sorted(files: Iterable<File>, count: number) {
  const refused: string[] = [];
  const taken: { readonly item: Attachment; readonly file: File }[] = [];
  for (const file of files) {
    const refusal = refusalOf(file, count + taken.length);
    if (refusal !== null) {
      refused.push(refusal);
      continue;
    }
    const { name, type: mediaType, size: sizeBytes } = file;
    const state = { kind: "uploading", share: 0 } as const;
    const item = { key: systemRandom.uuid(), name, mediaType, sizeBytes, state };
    taken.push({ item, file });
  }
  return { taken, refused };
}

/** Office programs put a picture of the text beside it: then the text is meant. */
function isPictureOf(clipboard: DataTransfer, files: readonly File[]): boolean {
  const text = clipboard.getData("text/plain");
  return text !== "" && !files.some(({ name }) => text.includes(name));
}

type Sending = { readonly file: File; readonly stop: AbortController };

async function send(
  file: File,
  signal: AbortSignal,
  onShare: (share: number) => void,
): Promise<Attachment["state"]> {
  const sent = await uploadBytes({
    path: uploadChatFile.path,
    file,
    fileName: file.name.toWellFormed(),
    mediaType: sentMediaType(file.type),
    onShare,
    signal,
  });
  const answer = answerOf(uploadChatFile, sent);
  return answer.ok
    ? { kind: "ready", fileId: answer.value.id }
    : { kind: "failed", problem: answer.failure };
}
