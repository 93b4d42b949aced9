/** How high a row will be, about: where it is not seen, that is what it counts as. */
import { promptText, type ShownRow } from "./transcript-rows.ts";

const LINE_PX = 21;
const CHARACTERS_OF_LINE = 90;

export function estimateHeight(row: ShownRow | undefined): number {
  switch (row?.kind) {
    case "text":
      return 20 + linesOf(row.text) * LINE_PX;
    case "prompt":
      return 84 + linesOf(promptText(row.parts)) * LINE_PX;
    case "tool":
    case "reasoning":
    case "mark":
      return 42;
    case "usage":
    case "context":
      return 26;
    case "file":
      return row.file.media_type.startsWith("image/") ? 200 : 48;
    case "sources":
      return 34;
    case "outgoing":
    case "failure":
      return 140;
    case undefined:
      return LINE_PX;
  }
}

function linesOf(text: string): number {
  let lines = 0;
  for (const line of text.split("\n")) {
    lines += Math.max(1, Math.ceil(line.length / CHARACTERS_OF_LINE));
  }
  return lines;
}
