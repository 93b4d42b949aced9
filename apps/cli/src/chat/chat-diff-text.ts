/** What a chat changed, for terminals: the diff in colours, or a line for each file. */
import type { ChatDiffRepository } from "@atelier/contract/http/chat-diff";
import { table, type Look } from "../output/people.ts";
import { proseSafe } from "../output/terminal-safe.ts";

const HEADS = /^(?:diff |index |--- |\+\+\+ |new file |deleted file |similarity |rename )/;

/** Without what would steer a terminal. Byte for byte it is in `--json`. */
export function paintedDiff(look: Look, diff: string): string {
  const { colors } = look;
  return proseSafe(diff)
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => {
      if (HEADS.test(line)) return colors.bold(line);
      if (line.startsWith("@@")) return colors.cyan(line);
      if (line.startsWith("+")) return colors.green(line);
      return line.startsWith("-") ? colors.red(line) : line;
    })
    .join("\n");
}

const COLUMNS = [
  { title: "FILE" },
  { title: "+", align: "right", isWhole: true },
  { title: "−", align: "right", isWhole: true },
] as const;

export function diffStat(
  look: Look,
  repositories: readonly ChatDiffRepository[],
  { isCut }: { readonly isCut: boolean },
): string {
  const rows = repositories.flatMap(({ prefix, files }) =>
    files.map((file) => [
      `${prefix}${file.path}`,
      file.is_binary ? "bin" : String(file.additions),
      file.is_binary ? "" : String(file.deletions),
    ]),
  );
  const sum = (of: (repository: ChatDiffRepository) => number): number =>
    repositories.reduce((total, each) => total + of(each), 0);
  const files = sum(({ changed_files: count }) => count);
  if (files === 0) return "";
  const total = `${files} ${files === 1 ? "file" : "files"} changed`;
  const lines = `+${sum((each) => each.additions)} −${sum((each) => each.deletions)}`;
  return `${table(look, COLUMNS, rows)}\n${total}, ${lines}${isCut ? ", or more" : ""}`;
}
