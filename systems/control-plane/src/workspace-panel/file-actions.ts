/** Use cases of looking at a workspace's files: directories, texts, and whole files as they come. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import {
  FILE_CONTENT_BYTES_MAX,
  FILE_TEXT_BYTES_MAX,
} from "@atelier/contract/http/workspace-files";
import type { StreamedAnswer } from "@atelier/contract/raw-body";
import type { FileInfo } from "@atelier/contract/rpc/workspace/files";
import {
  toMachineFailure,
  type MachineFailure,
} from "@atelier/contract/rpc/workspace/machine-failure";
import { fileText, mediaTypeOf, type FileText } from "./file-text.ts";
import { absolutePath, type Asking } from "./machine-path.ts";
import { fromMachine } from "./panel-failure.ts";

export type DirectoryPage = {
  readonly path: string;
  readonly files: readonly FileInfo[];
  readonly next: string | null;
};

export async function listDirectory(
  asking: Asking,
  query: { readonly path: string; readonly limit: number; readonly after: string },
): Promise<Result<DirectoryPage, MachineFailure>> {
  const path = await absolutePath(asking, query.path);
  if (!path.ok) return fromMachine(path);
  const { limit, after } = query;
  const page = { path: path.value, limit, after };
  const listed = await asking.services.files.list(page, { signal: asking.signal });
  if (!listed.ok) return fromMachine(listed);
  return ok({ path: path.value, files: listed.value.entries, next: listed.value.next });
}

export async function readText(
  { services, signal }: Asking,
  path: string,
): Promise<Result<FileText & { readonly file: FileInfo }, MachineFailure>> {
  // One byte more tells whether there is more.
  const length = FILE_TEXT_BYTES_MAX + 1;
  const opened = await services.files.readBytes({ path, length }, { signal });
  if (!opened.ok) return fromMachine(opened);
  const { value: file, bytes } = opened.value;
  const parts: Uint8Array[] = [];
  try {
    for await (const part of bytes) parts.push(part);
  } catch {
    signal.throwIfAborted();
    return fail({
      code: "workspace_agent.failed",
      detail: "The file could not be read to its end.",
    });
  }
  return ok({ file, ...fileText(Buffer.concat(parts)) });
}

export async function openDownload(
  { services, signal }: Asking,
  path: string,
): Promise<Result<StreamedAnswer, MachineFailure | Failure<"workspace_file.too_large">>> {
  // Looked at before: what is too large is not opened.
  const stop = new AbortController();
  const opened = await services.files.readBytes(
    { path, length: FILE_CONTENT_BYTES_MAX },
    { signal: AbortSignal.any([signal, stop.signal]) },
  );
  if (!opened.ok) return fail(toMachineFailure(opened.failure));
  const { value: file, bytes } = opened.value;
  if (file.size > FILE_CONTENT_BYTES_MAX) {
    stop.abort(new Error("too large"));
    const detail = `It has ${file.size} bytes; at most ${FILE_CONTENT_BYTES_MAX} are sent.`;
    return fail({ code: "workspace_file.too_large", detail });
  }
  const content = { byteLength: file.size, chunks: exactly(bytes, file.size) };
  return ok({ ...content, fileName: file.name, ...mediaTypeOf(file.name) });
}

/** What the answer's head announced: a file that grows is cut there, and one that shrinks breaks it. */
async function* exactly(
  bytes: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const part of bytes) {
    if (left === 0) return;
    const taken = part.byteLength > left ? part.subarray(0, left) : part;
    left -= taken.byteLength;
    yield taken;
  }
  if (left > 0) throw new Error("the file became shorter while it was read");
}
