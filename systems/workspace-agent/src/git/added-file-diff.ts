/** The diff of a file that git does not know yet: all of it is added. As git itself would write it. */
export type AddedFile = {
  readonly path: string;
  /** As git counts them: 100644, 100755, 120000. */
  readonly mode: string;
  /** What was read of it. */
  readonly bytes: Buffer;
};

/** Git itself takes a NUL in the first bytes for a sign of a binary file. */
const PROBED_BYTES = 8_000;

export function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, PROBED_BYTES).includes(0);
}

/** As many lines as git would say were added. */
export function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines += 1;
  return bytes.byteLength > 0 && bytes.at(-1) !== 0x0a ? lines + 1 : lines;
}

export function addedFileDiff({ path, mode, bytes }: AddedFile): string {
  const [before, after] = [quotePath(`a/${path}`), quotePath(`b/${path}`)];
  const head = `diff --git ${before} ${after}\nnew file mode ${mode}\n`;
  if (isBinary(bytes)) return `${head}Binary files /dev/null and ${after} differ\n`;
  const count = countLines(bytes);
  if (count === 0) return head;
  const text = bytes.toString("utf8");
  const isOpen = !text.endsWith("\n");
  const body = (isOpen ? text : text.slice(0, -1)).replaceAll("\n", "\n+");
  const range = count === 1 ? "+1" : `+1,${count}`;
  const end = isOpen ? "\n\\ No newline at end of file\n" : "\n";
  // Marks where a name with spaces ends.
  const tab = !after.startsWith('"') && after.includes(" ") ? "\t" : "";
  return `${head}--- /dev/null\n+++ ${after}${tab}\n@@ -0,0 ${range} @@\n+${body}${end}`;
}

/** Names with quotes or control characters stand in quotes, as git writes them. */
function quotePath(path: string): string {
  // oxlint-disable-next-line no-control-regex -- These are the ones that are quoted.
  if (!/["\\\x00-\x1f\x7f]/.test(path)) return path;
  // oxlint-disable-next-line no-control-regex -- As above.
  const quoted = path.replaceAll(/["\\\x00-\x1f\x7f]/g, (character) => {
    const short = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r" }[character];
    return short ?? `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
  return `"${quoted}"`;
}
