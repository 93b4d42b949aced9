/** Tools that read and change files of the chat's workspace (spec agents 6.2). */
import { READ_LINES_MAX } from "@atelier/contract/rpc/workspace/files";
import { z } from "zod";
import { inWorkspace } from "./in-workspace.ts";
import { PLANS_DIRECTORY, refusedPath } from "./plan-path.ts";
import { defineTool, toolError, toolValue, type ChatTool, type ToolContext } from "./tool.ts";

const Path = z.string().trim().min(1).describe("Absolute, or beginning with ~/");

const ReadFile = z.object({
  path: Path,
  offset: z.int().min(1).optional().describe("First line, from 1"),
  limit: z.int().min(1).max(READ_LINES_MAX).optional().describe("How many lines"),
});

const WriteFile = z.object({ path: Path, content: z.string().describe("The whole file") });

const Edit = z.object({
  path: z.string().trim().describe("Absolute, or beginning with ~/"),
  old_text: z.string().min(1).describe("What stands there now, with enough lines to be unique"),
  new_text: z.string(),
  replace_all: z.boolean().optional().describe("Every occurrence; else there must be exactly one"),
});

const RETIRED_SHAPE =
  'The shape with `files` is not understood. Pass {"edits":[{"path":"/a/b.ts","old_text":"…","new_text":"…"}]}';

/** Some models write the list as a text of JSON. */
const Edits = z.preprocess((given) => {
  if (typeof given !== "string") return given;
  try {
    return JSON.parse(given) as unknown;
  } catch {
    // Refused below, as the text it is.
    return given;
  }
}, z.array(Edit).min(1).max(256));

const EditFiles = z
  .looseObject({ edits: Edits.optional() })
  .superRefine((input, refine) => {
    if (input.edits === undefined) {
      const message = "files" in input ? RETIRED_SHAPE : "edits: required";
      refine.addIssue({ code: "custom", message });
      return;
    }
    const empty = input.edits.flatMap(({ path }, index) => (path === "" ? [index] : []));
    if (empty.length > 0) {
      refine.addIssue({ code: "custom", message: `edits without a path: ${empty.join(", ")}` });
    }
  })
  .transform(({ edits = [] }) => ({ edits }));

/** What the model is told: the one shape that is wanted. */
const EditFilesShown = z.object({ edits: z.array(Edit).min(1) });

export function fileTools(): readonly ChatTool[] {
  return [readFile(), writeFile(), editFiles()];
}

function readFile(): ChatTool {
  return defineTool({
    name: "read_file",
    description:
      "Reads lines of a text file in the workspace. Each line comes with its number. Long files are read in pieces: pass offset and limit.",
    input: ReadFile,
    run: async ({ path, offset = 1, limit = READ_LINES_MAX }, context) => {
      const { signal } = context;
      const read = await inWorkspace(context, ({ files }) =>
        files.readLines({ path, fromLine: offset, lines: limit }, { signal }),
      );
      if (!read.ok) return read.failure;
      const { content, fileSize, linesRead, totalLines, note } = read.value;
      return toolValue({
        ...{ content, file_size: fileSize, lines_read: linesRead, total_lines: totalLines },
        ...(note !== "" && { note }),
      });
    },
  });
}

function writeFile(): ChatTool {
  return defineTool({
    name: "write_file",
    description:
      "Writes a whole file in the workspace, with the directories above it. Replaces what was there; to change a part of a file, use edit_files.",
    input: WriteFile,
    run: async ({ path, content }, context) => {
      const refused = refusedPath(context.chat, path, await homeFor(context, [path]));
      if (refused !== null) return toolError(refused);
      const { effect, signal } = context;
      const root = rootOf(context);
      const written = await inWorkspace(context, async ({ files }) => {
        if (root !== "") await files.makeDirectory({ path: root }, { signal });
        return files.write({ path, root, effect }, oneChunk(content), { signal });
      });
      return written.ok ? toolValue({ ok: true }) : written.failure;
    },
  });
}

function editFiles(): ChatTool {
  const tool = defineTool({
    name: "edit_files",
    description:
      "Replaces text in files of the workspace, in order. All or nothing: when one edit does not fit, no file changes. old_text must stand in the file exactly once, unless replace_all is true; white space may differ.",
    input: EditFiles,
    shownInput: EditFilesShown,
    run: async ({ edits }, context) => {
      const home = await homeFor(
        context,
        edits.map(({ path }) => path),
      );
      const refused = edits
        .map(({ path }) => refusedPath(context.chat, path, home))
        .find((each) => each !== null);
      if (refused !== undefined) return toolError(refused);
      const { effect, signal } = context;
      const input = edits.map(({ path, old_text, new_text, replace_all = false }) => ({
        ...{ path, oldText: old_text, newText: new_text, replaceAll: replace_all },
      }));
      const edited = await inWorkspace(context, ({ files }) =>
        files.edit({ edits: input, root: rootOf(context), effect }, { signal }),
      );
      if (edited.ok) return toolValue({ ok: true, files: edited.value.files });
      const { failure } = edited;
      return failure.kind === "error"
        ? toolError(`No edits were applied. ${failure.message}`)
        : failure;
    },
  });
  return tool;
}

/** In plan mode, where a symlink of the plan leads counts as well. */
function rootOf({ chat }: ToolContext): string {
  return chat.planMode === "plan" ? PLANS_DIRECTORY : "";
}

/** Asked for only where a path may be in it by its whole name. Null: not needed, or not known. */
async function homeFor(context: ToolContext, paths: readonly string[]): Promise<string | null> {
  const isNeeded = paths.some(
    (path) => path.startsWith("/") && (context.chat.planMode === "plan" || /plan/i.test(path)),
  );
  if (!isNeeded) return null;
  const { signal } = context;
  const info = await inWorkspace(context, ({ machine }) => machine.info({}, { signal }));
  return info.ok ? info.value.home : null;
}

async function* oneChunk(content: string): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(Buffer.from(content.toWellFormed(), "utf8"));
}
