/** Puts the tables of a run into docs/performance.md, between its two markers. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const START = "<!-- gateway: npm run bench -- gateway --write-docs -->";
const END = "<!-- end of gateway -->";

export function writeIntoDocument(root: string, markdown: string): void {
  const file = join(root, "docs/performance.md");
  writeFileSync(file, withTables(readFileSync(file, "utf8"), markdown));
}

export function withTables(document: string, markdown: string): string {
  const [from, to] = [document.indexOf(START), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the markers ${START} and ${END} are missing`);
  return `${document.slice(0, from + START.length)}\n\n${markdown}\n\n${document.slice(to)}`;
}
