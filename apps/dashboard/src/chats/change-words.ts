/** What a chat changed, in words: for who hears the page, and for what is pointed at. */
import type { ChatDiffStatus } from "@atelier/contract/http/chats";

type Changes = Pick<
  ChatDiffStatus,
  "additions" | "deletions" | "changed_files" | "is_cut" | "repositories"
>;

export function changesText(status: Changes): string {
  const { additions, deletions, changed_files: files, is_cut: isCut, repositories } = status;
  const where = repositories > 1 ? ` of ${repositories} repositories` : "";
  if (files === 0)
    return `Nothing changed${where === "" ? "" : ` in ${repositories} repositories`}`;
  const lines = `${plural(additions, "line")} added, ${deletions} removed`;
  return `${lines} in ${plural(files, "file")}${where}${isCut ? ", or more" : ""}`;
}

type Branch = Pick<ChatDiffStatus, "git_branch" | "ahead" | "behind">;

/** `main ↑2 ↓1`, and in words. Empty: git names no branch. */
export function branchText({ git_branch: branch, ahead, behind }: Branch): {
  readonly text: string;
  readonly words: string;
} {
  if (branch === "") return { text: "", words: "" };
  const signs = [ahead === 0 ? "" : `↑${ahead}`, behind === 0 ? "" : `↓${behind}`];
  const said = [
    ahead === 0 ? "" : `, ${plural(ahead, "commit")} not pushed`,
    behind === 0 ? "" : `, ${plural(behind, "commit")} not pulled`,
  ];
  return {
    text: [branch, ...signs].filter(Boolean).join(" "),
    words: `Branch ${branch}${said.join("")}`,
  };
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
