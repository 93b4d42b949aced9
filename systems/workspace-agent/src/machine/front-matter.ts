/**
 * The head of a skill: plain `key: value` lines between two lines of `---`. People write these by hand,
 * so that what is not understood is passed over. This is a small part of YAML on purpose.
 */
export function readFrontMatter(text: string): ReadonlyMap<string, string> {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const values = new Map<string, string>();
  if (lines[0]?.trimEnd() !== "---") return values;
  const end = lines.findIndex((line, i) => i > 0 && /^(?:---|\.\.\.)\s*$/.test(line));
  if (end === -1) return values;
  let key = "";
  let parts: string[] = [];
  const finish = (): void => {
    if (key !== "") values.set(key, toValue(parts));
  };
  for (const line of lines.slice(1, end)) {
    const [, next, first = ""] = /^([A-Za-z][\w-]*):(?:\s+(.*))?$/.exec(line) ?? [];
    if (next !== undefined) {
      finish();
      key = next;
      parts = [first];
    } else if (/^\s|^$/.test(line)) parts.push(line); // It goes on.
  }
  finish();
  return values;
}

/** The rest of the key's line, and the lines below it that are indented. */
function toValue([first = "", ...rest]: readonly string[]): string {
  const start = first.trim();
  const [, style] = /^([|>])[+-]?\d*\s*(?:#.*)?$/.exec(start) ?? [];
  if (style !== undefined) return foldBlock(rest, style === "|");
  const whole = [start, ...rest.map((line) => line.trim())].filter((line) => line !== "").join(" ");
  return unquote(whole);
}

/** `|` keeps line ends, `>` makes spaces of them, but for empty lines. */
function foldBlock(lines: readonly string[], keepsLines: boolean): string {
  const texts = lines.map((line) => line.trim());
  if (keepsLines) return texts.join("\n").trim();
  return texts
    .join("\n")
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll("\n", " "))
    .join("\n");
}

function unquote(text: string): string {
  const [, single] = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(text) ?? [];
  if (single !== undefined) return single.replaceAll("''", "'");
  const [, double] = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(text) ?? [];
  if (double === undefined) return text.replace(/(?:^|\s)#.*$/, "").trim();
  const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t" };
  return double.replaceAll(/\\(.)/g, (_, character: string) => escapes[character] ?? character);
}
