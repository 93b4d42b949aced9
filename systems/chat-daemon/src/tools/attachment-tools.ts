/** Tools that bring a file of the workspace to the person: as an attachment, or as the plan. */
import { fail, ok, type Result } from "@atelier/base/result";
import { z } from "zod";
import { mediaTypeOf } from "../messages/media-type.ts";
import { inWorkspace } from "./in-workspace.ts";
import { planPathOf, PLANS_DIRECTORY, refusedPath } from "./plan-path.ts";
import { STORED_FILE_BYTES_MAX, toFilePart, type ToolFileStore } from "./stored-file.ts";
import {
  defineTool,
  toolError,
  type ChatTool,
  type ToolContext,
  type ToolOutcome,
} from "./tool.ts";

const PLAN_BYTES_MAX = 32 * 1024;

const AttachFile = z.object({
  path: z.string().trim().min(1).describe("Absolute, or beginning with ~/"),
  name: z.string().trim().min(1).max(255).optional().describe("What it is called for the person"),
});

const ProposePlan = z.object({
  path: z.string().trim().min(1).optional().describe("The plan file; absent: the chat's own"),
});

export function attachFileTool(files: ToolFileStore): ChatTool {
  return defineTool({
    name: "attach_file",
    description:
      "Shows a file of the workspace to the person, as an attachment of this chat. Images, PDF, and text, up to 10 MiB.",
    input: AttachFile,
    run: async ({ path, name = baseName(path) }, context) => {
      const bytes = await readWhole(context, path, { bytesMax: STORED_FILE_BYTES_MAX, root: "" });
      if (!bytes.ok) return bytes.failure;
      const mediaType = mediaTypeOf(name, bytes.value);
      if (mediaType === null) return toolError("Only images, PDF and text can be attached.");
      const { chat, callId } = context;
      const stored = await files.store(chat, { callId, name, mediaType, bytes: bytes.value });
      if (!stored.ok) return toolError(stored.failure);
      const { fileId } = stored.value;
      const size = bytes.value.byteLength;
      return {
        kind: "json",
        value: { ok: true, path, file_id: fileId, name, media_type: mediaType, size },
        files: [toFilePart(stored.value)],
      };
    },
  });
}

export function proposePlanTool(files: ToolFileStore): ChatTool {
  return defineTool({
    name: "propose_plan",
    description: "Presents the plan file to the person, who decides about it. This ends your turn.",
    input: ProposePlan,
    run: async ({ path = "" }, context) => {
      const { chat, callId } = context;
      const planPath = path === "" ? planPathOf(chat.id) : path;
      const refused = await refusedPlan(context, planPath);
      if (refused !== null) return toolError(refused);
      const bytes = await readWhole(context, planPath, {
        ...{ bytesMax: PLAN_BYTES_MAX, root: PLANS_DIRECTORY },
      });
      if (!bytes.ok) return bytes.failure;
      const text = Buffer.from(bytes.value).toString("utf8");
      if (text.trim() === "") return toolError("The plan file is empty.");
      const mediaType = "text/markdown";
      const file = { callId, name: baseName(planPath), mediaType, bytes: bytes.value };
      const stored = await files.store(chat, file);
      if (!stored.ok) return toolError(stored.failure);
      const { fileId } = stored.value;
      return {
        kind: "json",
        value: { ok: true, path: planPath, kind: "plan", file_id: fileId, media_type: mediaType },
        files: [toFilePart(stored.value)],
      };
    },
  });
}

async function refusedPlan(context: ToolContext, path: string): Promise<string | null> {
  if (!path.toLowerCase().endsWith(".md")) return "A plan is a file whose name ends with .md.";
  const { signal, chat } = context;
  if (path === planPathOf(chat.id)) return null;
  const info = await inWorkspace(context, ({ machine }) => machine.info({}, { signal }));
  const home = info.ok ? info.value.home : null;
  return refusedPath({ ...chat, planMode: "plan" }, path, home);
}

async function readWhole(
  context: ToolContext,
  path: string,
  { bytesMax, root }: { readonly bytesMax: number; readonly root: string },
): Promise<Result<Uint8Array, ToolOutcome>> {
  const { signal } = context;
  const read = await inWorkspace(context, async ({ files }) => {
    const opened = await files.readBytes({ path, root, length: bytesMax + 1 }, { signal });
    if (!opened.ok) return opened;
    const chunks: Uint8Array[] = [];
    for await (const chunk of opened.value.bytes) chunks.push(chunk);
    return ok(Buffer.concat(chunks));
  });
  if (!read.ok) return read;
  return read.value.byteLength > bytesMax
    ? fail(toolError(`The file is larger than ${bytesMax / 1024} KiB.`))
    : ok(read.value);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
