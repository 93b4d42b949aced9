/**
 * A table of options as people read it: help in a terminal, a reference page, the values in force.
 * Hidden options appear in none of them, secrets appear as `[secret]`.
 */
import {
  environmentNamesOf,
  fileEnvironmentNameOf,
  propertyOf,
  type Option,
  type OptionSource,
  type OptionValue,
  type ParsedOptions,
} from "./option.ts";
import { defaultOf, printOptionValue } from "./option-value.ts";

/** What the deployment page shows of an option. */
export type OptionRow = {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  readonly value: string | null;
  readonly source: OptionSource;
};

/** The options for `--help`, by group, no line longer than `width` where words allow it. */
export function renderHelp(table: readonly Option[], width: number): string {
  const lines: string[] = [];
  for (const [group, options] of groupsOf(table)) {
    lines.push(`${group}:`);
    for (const option of options) {
      const placeholder = placeholderOf(option);
      lines.push(`  --${option.name}${placeholder === "" ? "" : ` ${placeholder}`}`);
      lines.push(...wrap(option.description, width, "      "));
      lines.push(...wrap(`Default: ${defaultTextOf(option)}.`, width, "      "));
      lines.push(`      Environment: ${environmentNamesOf(option)[0]}`);
    }
    lines.push("");
  }
  return lines.join("\n");
}

/** The reference page's body, in Markdown: a section for each group. */
export function renderOptionReference(table: readonly Option[]): string {
  const lines: string[] = [];
  for (const [group, options] of groupsOf(table)) {
    lines.push(`## ${group}`, "");
    for (const option of options) {
      const placeholder = placeholderOf(option);
      const [main, ...others] = environmentNamesOf(option);
      const file = fileEnvironmentNameOf(option);
      lines.push(`### \`${option.name}\``, "", option.description, "");
      lines.push(`- Flag: \`--${option.name}${placeholder === "" ? "" : ` ${placeholder}`}\``);
      lines.push(`- Environment: \`${main}\`${file === null ? "" : `, or a path in \`${file}\``}`);
      lines.push(`- Also read from: ${others.map((name) => `\`${name}\``).join(", ")}`);
      if (option.name !== "config") lines.push(`- File: \`${option.name}\``);
      lines.push(`- Default: ${defaultTextOf(option)}`, "");
    }
  }
  return lines.join("\n");
}

/** Each option with the value in force and where it comes from; of families, those that are set. */
export function describeOptions<const Table extends readonly Option[]>(
  table: Table,
  parsed: ParsedOptions<Table>,
): readonly OptionRow[] {
  const values = parsed.values as Readonly<Record<string, OptionValue>>; // Keyed by propertyOf().
  const options = table.map((option) => ({ option, value: values[propertyOf(option)] ?? null }));
  return [...options, ...parsed.members]
    .filter(({ option }) => option.hidden !== true)
    .map(({ option, value }) => ({
      name: option.name,
      group: option.group,
      description: option.description,
      value: printOptionValue(option, value),
      source: parsed.sources.get(option.name) ?? "default",
    }));
}

/** Words onto lines. A word longer than the line stays whole: cut names cannot be copied. */
export function wrap(text: string, width: number, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    const isFirst = line === indent;
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line += isFirst ? word : ` ${word}`;
    }
  }
  return [...lines, line];
}

/** Groups and the options within them keep the table's order. */
function groupsOf(table: readonly Option[]): ReadonlyMap<string, readonly Option[]> {
  return Map.groupBy(
    table.filter((option) => option.hidden !== true),
    (option) => option.group,
  );
}

function defaultTextOf(option: Option): string {
  return option.defaultText ?? printOptionValue(option, defaultOf(option)) ?? "none";
}

function placeholderOf(option: Option): string {
  switch (option.kind) {
    case "bool":
      return "";
    case "string":
      return "<text>";
    case "int":
      return "<number>";
    case "duration":
      return "<duration>";
    case "address":
      return "<host:port>";
    case "url":
      return "<url>";
    case "secret":
      return "<secret>";
    case "secrets":
      return "<secret,…>";
    case "list":
      return "<item,…>";
    case "choice":
      return `<${option.choices.join("|")}>`;
  }
}
