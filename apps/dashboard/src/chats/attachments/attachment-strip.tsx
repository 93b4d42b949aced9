/** The files beside a message: what each is, how far it is on its way, and what went wrong with it. */
import { getChatFile } from "@atelier/contract/http/chat-files";
import { memo, useId, useState, type DragEvent, type ReactNode } from "react";
import { requestPath } from "@atelier/contract/client";
import { apiUrl } from "../../browser/host.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { isImage, sizeText, type Attachment } from "./attachment-list.ts";
import type { Attachments } from "./use-attachments.ts";

/** Nothing is shown while there are none. */
export const AttachmentStrip = memo(function AttachmentStrip({
  attachments,
}: {
  readonly attachments: Attachments;
}) {
  const { items, refusals } = attachments;
  if (items.length === 0 && refusals.length === 0) return null;
  return (
    <div className="space-y-2">
      {refusals.length > 0 && (
        <ul className="text-bad" role="alert">
          {refusals.map((refusal) => (
            <li key={refusal}>{refusal}</li>
          ))}
        </ul>
      )}
      <ul aria-label="Files" className="flex flex-wrap gap-2">
        {items.map((item) => (
          <AttachmentChip attachments={attachments} item={item} key={item.key} />
        ))}
      </ul>
    </div>
  );
});

type ChipProps = { readonly item: Attachment; readonly attachments: Attachments };

function AttachmentChip({ item, attachments }: ChipProps) {
  const { key, name, sizeBytes, state } = item;
  const isFailed = state.kind === "failed";
  return (
    <li
      className={`flex max-w-full items-center gap-2 rounded-md border bg-surface py-1 pr-1 pl-2 ${isFailed ? "border-bad" : "border-line"}`}
    >
      {state.kind === "ready" && isImage(item) && (
        <img
          alt=""
          className="size-9 rounded object-cover"
          src={apiUrl(requestPath(getChatFile.path, { file: state.fileId }, {}) ?? "")}
        />
      )}
      <div className="min-w-0">
        <p className="max-w-56 truncate" title={name}>
          {name}
        </p>
        <p className={`text-xs ${isFailed ? "text-bad" : "text-muted"}`}>
          {state.kind === "ready" && sizeText(sizeBytes)}
          {state.kind === "uploading" && (
            <Progress label={`Upload of ${name}`} share={state.share} sizeBytes={sizeBytes} />
          )}
          {state.kind === "failed" && <FailureWords state={state} />}
        </p>
      </div>
      {isFailed && <Button onClick={() => attachments.retry(key)}>Again</Button>}
      <IconButton label={`Remove ${name}`} onClick={() => attachments.remove(key)}>
        <Icon name="close" size={14} />
      </IconButton>
    </li>
  );
}

type ProgressProps = {
  readonly label: string;
  readonly share: number;
  readonly sizeBytes: number;
};

function Progress({ label, share, sizeBytes }: ProgressProps) {
  const percent = Math.round(share * 100);
  return (
    <span className="inline-flex items-center gap-1.5">
      <progress aria-label={label} className="h-1.5 w-20" max={100} value={percent} />
      {percent} % of {sizeText(sizeBytes)}
    </span>
  );
}

function FailureWords({
  state,
}: {
  readonly state: Extract<Attachment["state"], { kind: "failed" }>;
}) {
  const { message, detail, requestId } = state.problem;
  return (
    <>
      {message} {detail}
      {requestId !== null && (
        <>
          {" "}
          Request id <code className="font-mono break-all select-all">{requestId}</code>
        </>
      )}
    </>
  );
}

type PickButtonProps = { readonly attachments: Attachments };

/** Opens the system's choice of files. */
export function PickFilesButton({ attachments }: PickButtonProps) {
  const id = useId();
  return (
    <span className="inline-flex">
      <input
        className="peer sr-only"
        id={id}
        multiple
        onChange={(event) => {
          attachments.add(event.currentTarget.files ?? []);
          // The same file can be picked again after it was removed.
          event.currentTarget.value = "";
        }}
        type="file"
      />
      <label
        className="inline-flex min-h-9 cursor-pointer items-center gap-1.5 rounded-md border border-line bg-surface px-3 font-medium whitespace-nowrap hover:bg-hover peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent"
        htmlFor={id}
      >
        <Icon name="plus" size={16} />
        Add files
      </label>
    </span>
  );
}

type DropAreaProps = {
  readonly attachments: Attachments;
  readonly className?: string;
  readonly children: ReactNode;
};

/** Files that are dropped anywhere on it are added. By keyboard there is the button. */
export function DropArea({ attachments, className = "", children }: DropAreaProps) {
  const [isOver, setIsOver] = useState(false);
  const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer.types.includes("Files");
  return (
    <div
      className={`relative ${className}`}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) {
          setIsOver(false);
        }
      }}
      onDragOver={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setIsOver(true);
      }}
      onDrop={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setIsOver(false);
        attachments.add(event.dataTransfer.files);
      }}
    >
      {children}
      {isOver && (
        <div className="pointer-events-none absolute inset-0 flex items-center justify-center rounded-lg border-2 border-dashed border-accent bg-accent-soft font-medium text-accent">
          Drop the files here
        </div>
      )}
    </div>
  );
}
