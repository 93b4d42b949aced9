/** All tools that come with the server; which of them a chat may use is `tool-availability.ts`. */
import type { ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import { attachFileTool, proposePlanTool } from "./attachment-tools.ts";
import { fileTools } from "./file-tools.ts";
import { askUserQuestionTool, listWorkspacesTool } from "./person-tools.ts";
import { processTools } from "./process-tools.ts";
import { skillTools, type PersonalSkills } from "./skill-tools.ts";
import type { ToolFileStore } from "./stored-file.ts";
import type { ChatTool } from "./tool.ts";

export type BuiltinToolDeps = {
  readonly directory: ChatWorkspaceDirectory;
  readonly files: ToolFileStore;
  readonly skills: PersonalSkills;
};

export function builtinTools({ directory, files, skills }: BuiltinToolDeps): readonly ChatTool[] {
  return [
    ...fileTools(),
    ...processTools(),
    ...skillTools(skills),
    attachFileTool(files),
    proposePlanTool(files),
    askUserQuestionTool(),
    listWorkspacesTool(directory),
  ];
}
