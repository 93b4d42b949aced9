/** Puts the tables of a run into its document, between the two markers of its benchmark. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export function writeIntoDocument(root: string, markdown: string, bench = "gateway"): void {
  const file = join(root, bench === "chat" ? "docs/performance-chats.md" : "docs/performance.md");
  writeFileSync(file, withTables(readFileSync(file, "utf8"), markdown, bench));
}

export function withTables(document: string, markdown: string, bench = "gateway"): string {
  const start = `<!-- ${bench}: npm run bench -- ${bench} --write-docs -->`;
  const end = `<!-- end of ${bench} -->`;
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the markers ${start} and ${end} are missing`);
  return `${document.slice(0, from + start.length)}\n\n${markdown}\n\n${document.slice(to)}`;
}
