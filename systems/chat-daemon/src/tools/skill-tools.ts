/** Tools that read skills: of the workspace, and those that the person keeps (spec agents 6.6). */
import { ok } from "@atelier/base/result";
import { z } from "zod";
import { inWorkspace } from "./in-workspace.ts";
import { defineTool, toolError, toolValue, type ChatTool, type ToolContext } from "./tool.ts";

const SKILL_FILE_BYTES_MAX = 512 * 1024;
const LISTED_MAX = 200;

const SkillName = z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "a skill's name");
const SkillFile = z
  .string()
  .min(1)
  .refine(
    (path) =>
      !path.startsWith("/") &&
      path.split("/").every((name) => name !== "" && !name.startsWith(".")),
    "relative to the skill, without .. and hidden files",
  );

export interface PersonalSkills {
  /** Undefined: the person keeps none of this name. */
  find(ownerId: string, name: string): Promise<{ readonly body: string } | undefined>;
}

export function skillTools(personal: PersonalSkills): readonly ChatTool[] {
  return [readSkill(personal), readSkillFile()];
}

function readSkill(personal: PersonalSkills): ChatTool {
  return defineTool({
    name: "read_skill",
    description: "Reads a skill: how to do a kind of work here.",
    input: z.object({ name: SkillName }),
    run: async ({ name }, context) => {
      const found = await workspaceSkill(context, name);
      if (found !== null) {
        const files = await supportingFiles(context, found.directory);
        return toolValue({ name, body: found.body, dir: found.directory, files });
      }
      const kept = await personal.find(context.chat.ownerId, name);
      return kept === undefined
        ? toolError(`There is no skill called ${name}.`)
        : toolValue({ name, body: kept.body });
    },
  });
}

function readSkillFile(): ChatTool {
  return defineTool({
    name: "read_skill_file",
    description: "Reads a file that belongs to a skill of the workspace.",
    input: z.object({ name: SkillName, path: SkillFile }),
    run: async ({ name, path }, context) => {
      const found = await workspaceSkill(context, name);
      if (found === null) return toolError(`There is no skill called ${name} in the workspace.`);
      const { directory: root } = found;
      const { signal } = context;
      const read = await inWorkspace(context, async ({ files }) => {
        const input = { path: `${root}/${path}`, root, length: SKILL_FILE_BYTES_MAX };
        const opened = await files.readBytes(input, { signal });
        if (!opened.ok) return opened;
        const chunks: Uint8Array[] = [];
        for await (const chunk of opened.value.bytes) chunks.push(chunk);
        return ok(Buffer.concat(chunks).toString("utf8"));
      });
      return read.ok ? { kind: "text", text: read.value } : read.failure;
    },
  });
}

type WorkspaceSkill = { readonly body: string; readonly directory: string };

/** Null: there is none, or no workspace. */
async function workspaceSkill(context: ToolContext, name: string): Promise<WorkspaceSkill | null> {
  const { signal } = context;
  const read = await inWorkspace(context, ({ machine }) => machine.contextFiles({}, { signal }));
  if (!read.ok) return null;
  const skill = read.value.files.find((file) => file.kind === "skill" && file.name === name);
  if (skill === undefined) return null;
  return { body: skill.content, directory: skill.path.replace(/\/[^/]*$/, "") };
}

async function supportingFiles(context: ToolContext, directory: string): Promise<string[]> {
  const { signal } = context;
  const listed = await inWorkspace(context, ({ files }) =>
    files.list({ path: directory, root: directory, limit: LISTED_MAX }, { signal }),
  );
  if (!listed.ok) return [];
  return listed.value.entries
    .filter(({ name }) => !name.startsWith(".") && name !== "SKILL.md")
    .map(({ name, kind }) => (kind === "directory" ? `${name}/` : name));
}
