/** Files that people send with messages, and the bytes of those that chats hold. */
import { assert } from "@atelier/base/assert";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { RawAnswer, RawBody } from "@atelier/contract/raw-body";
import type { ServiceCaller } from "@atelier/contract/rpc/endpoint-service";
import type { ChatDeps } from "./chat-deps.ts";
import { invalid } from "./chat-failures.ts";
import { countUnusedFiles, findWholeFile, insertFile, type WholeFile } from "./chat-file-store.ts";
import { mayRead } from "./chat-readers-actions.ts";
import { isShownInline, uploadedFile } from "./uploaded-file.ts";

/** Of one person. A little more where several are uploaded at once. */
export const UNUSED_FILES_MAX = 100;

type UploadFailure = Failure<
  | "request.invalid"
  | "resource.not_found"
  | "chat_file.type_unsupported"
  | "chat_file.too_many_unused"
>;

/** No chat holds it until a message names it. */
export async function uploadFile(
  deps: ChatDeps,
  caller: ServiceCaller,
  upload: RawBody,
  organization: string | undefined,
): Promise<Result<{ readonly id: string; readonly name: string }, UploadFailure>> {
  const ownerId = caller.userId;
  if (!caller.may("chat:create", ownerId)) return fail({ code: "resource.not_found" });
  const organizationId = await deps.people.defaultOrganizationId();
  if (organization !== undefined && ![organizationId, "default"].includes(organization)) {
    return fail(invalid("organization", "There is no such organization."));
  }
  const file = uploadedFile(upload);
  if (!file.ok) return file;
  const { sql } = deps.database;
  if ((await countUnusedFiles(sql, ownerId, UNUSED_FILES_MAX)) >= UNUSED_FILES_MAX) {
    return fail({ code: "chat_file.too_many_unused" });
  }
  const id = deps.random.uuid();
  const { name, mediaType } = file.value;
  const isKept = await insertFile(sql, {
    ...{ id, ownerId, organizationId, name, mediaType },
    bytes: upload.bytes,
    createdAt: deps.clock.now(),
  });
  assert(isKept, "a new id is nobody's");
  return ok({ id, name });
}

/** For its owner, and for those who may read the chat that holds it. */
export async function fetchFile(
  deps: ChatDeps,
  caller: ServiceCaller,
  fileId: string,
): Promise<Result<RawAnswer, Failure<"resource.not_found">>> {
  const file = await findWholeFile(deps.database.sql, fileId);
  if (file === undefined || !(await mayFetch(deps, caller, file))) {
    return fail({ code: "resource.not_found" });
  }
  const { name: fileName, mediaType, bytes } = file;
  return ok({ bytes, mediaType, fileName, isInline: isShownInline(mediaType) });
}

async function mayFetch(
  deps: ChatDeps,
  caller: ServiceCaller,
  { chatId, ownerId }: WholeFile,
): Promise<boolean> {
  // What no chat holds is nobody's but who uploaded it.
  if (chatId === null) return ownerId === caller.userId && caller.may("chat:read", ownerId);
  return mayRead(deps, caller, { id: chatId, ownerId });
}
