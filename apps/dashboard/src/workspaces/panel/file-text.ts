/** Files of a workspace as a page shows them. */

const PICTURE = /\.(?:png|jpe?g|gif|webp|avif)$/i;

/** By the name's ending, as the server decides too. */
export function isPicture(name: string): boolean {
  return PICTURE.test(name);
}

export type LineBlock = {
  /** The number of its first line; 1 is the first of all. */
  readonly from: number;
  readonly count: number;
  readonly lines: string;
};

const BLOCK_LINES = 200;

/** A line end at the end of the text begins no line of its own. */
export function lineBlocks(text: string): readonly LineBlock[] {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const blocks: LineBlock[] = [];
  for (let at = 0; at < lines.length; at += BLOCK_LINES) {
    const some = lines.slice(at, at + BLOCK_LINES);
    blocks.push({ from: at + 1, count: some.length, lines: some.join("\n") });
  }
  return blocks;
}
