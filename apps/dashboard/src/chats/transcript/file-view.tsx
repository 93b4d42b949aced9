/** A file of a chat: images are shown, others are there to download. */
import { useState } from "react";
import { requestPath } from "@atelier/contract/client";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { getChatFile } from "@atelier/contract/http/chat-files";
import { ChatIcon } from "../chat-icon.tsx";

type FileViewProps = { readonly file: Extract<MessagePart, { type: "file" }> };

export function FileView({ file }: FileViewProps) {
  const { media_type: mediaType, name = "file" } = file;
  const [isGone, setIsGone] = useState(false);
  const url = urlOf(file);
  if (url === null || isGone) {
    return <p className="text-xs text-muted">{name} is not kept any more.</p>;
  }
  if (mediaType.startsWith("image/")) {
    return (
      // The room is taken before the picture comes, so that nothing moves.
      <a className="block h-48 w-fit" href={url} rel="noreferrer" target="_blank">
        <img
          alt={name}
          className="h-48 max-w-full rounded-md object-contain"
          onError={() => setIsGone(true)}
          src={url}
        />
      </a>
    );
  }
  return (
    <a
      className="inline-flex max-w-full items-center gap-2 rounded-md border border-line bg-surface px-3 py-1.5 hover:bg-hover"
      download={name}
      href={url}
    >
      <ChatIcon name="file" />
      <span className="truncate">{name}</span>
      <span className="text-xs whitespace-nowrap text-muted">{mediaType}</span>
    </a>
  );
}

/** Relative to where the dashboard begins. Null: it is nowhere. */
function urlOf({ file_id: id, data, media_type: type }: FileViewProps["file"]): string | null {
  if (id === undefined) return data === undefined ? null : `data:${type};base64,${data}`;
  return filePath(id);
}

export function filePath(id: string): string | null {
  return requestPath(getChatFile.path, { file: id }, {})?.slice(1) ?? null;
}
