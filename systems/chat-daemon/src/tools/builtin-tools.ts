/** All tools that come with the server; which of them a chat may use is `tool-availability.ts`. */
import { attachFileTool, proposePlanTool } from "./attachment-tools.ts";
import { fileTools } from "./file-tools.ts";
import { askUserQuestionTool, listWorkspacesTool } from "./person-tools.ts";
import { processTools } from "./process-tools.ts";
import { skillTools, type PersonalSkills } from "./skill-tools.ts";
import type { ToolFileStore } from "./stored-file.ts";
import type { Subagents } from "./subagent-port.ts";
import { subagentTools } from "./subagent-tools.ts";
import type { ChatTool } from "./tool.ts";
import { workspaceTools, type WorkspaceToolDeps } from "./workspace-tools.ts";

export type BuiltinToolDeps = WorkspaceToolDeps & {
  readonly files: ToolFileStore;
  readonly skills: PersonalSkills;
  readonly subagents: Subagents;
};

export function builtinTools({
  directory,
  bind,
  boundTo,
  files,
  skills,
  subagents,
}: BuiltinToolDeps): readonly ChatTool[] {
  return [
    ...fileTools(),
    ...processTools(),
    ...skillTools(skills),
    ...subagentTools(subagents),
    attachFileTool(files),
    proposePlanTool(files),
    askUserQuestionTool(),
    listWorkspacesTool(directory),
    ...workspaceTools({ directory, bind, boundTo }),
  ];
}
