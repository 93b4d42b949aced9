/** Markdown for the generated pages. */

/** Inline code. A bar would end a table's cell. */
export function code(text: string): string {
  const quote = text.includes("`") ? "``" : "`";
  return `${quote}${text.replaceAll("|", "\\|")}${quote}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Replaces what stands between `<!-- name: npm run gen -->` and `<!-- end of name -->`. */
export function replaceSection(document: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}: npm run gen -->`, `<!-- end of ${name} -->`];
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the markers ${start} and ${end} are missing`);
  return `${document.slice(0, from + start.length)}\n\n${content}\n\n${document.slice(to)}`;
}
