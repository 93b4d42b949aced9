/** Reads the repository's own source, for the checks that judge it. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");

/** Paths from `root`, sorted, with forward slashes. Nothing installed or generated at run time. */
export function listFiles(root: string, patterns: readonly string[]): string[] {
  const isIgnored = (name: string): boolean =>
    name === "node_modules" || name === ".git" || name === ".runtime" || name === ".data";
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root, exclude: isIgnored }))
    .toSorted();
}

export function read(root: string, file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** A test, or a file beside the code that only tests use. */
export function isTestFile(file: string): boolean {
  return /(?:\.test|\.simulation|-testkit)\.tsx?$/.test(file);
}

/** Blanks comments out, keeping every line where it is. */
export function withoutComments(source: string): string {
  const blank = (text: string): string => text.replace(/[^\n]/g, " ");
  // A comment starts a line or follows white space: "http://x" and "src/**/*.ts" are none.
  return source.replace(/(?<=^|\s)\/\*[\s\S]*?\*\//g, blank).replace(/(?<=^|\s)\/\/.*$/gm, blank);
}

export type Import = {
  readonly target: string;
  readonly line: number;
  /** `export … from "x"`. */
  readonly isReExport: boolean;
  /** The imported names, as they are called where they come from. Empty for other forms and for types. */
  readonly names: readonly string[];
  readonly isTypeOnly: boolean;
};

/** Static imports and re-exports, and `import("…")` in values and types. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const found: Import[] = [];
  const lineAt = (index: number): number => code.slice(0, index).split("\n").length;
  for (const match of code.matchAll(/^(import|export)\s(?:([^"'`;]*)\sfrom\s)?"([^"]+)"/gm)) {
    const [, word, clause = "", target = ""] = match;
    const names = (/\{([^}]*)\}/.exec(clause)?.[1] ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && !name.startsWith("type "))
      .map((name) => name.split(" ")[0] ?? "");
    found.push({
      target,
      line: lineAt(match.index),
      isReExport: word === "export",
      names,
      isTypeOnly: clause.startsWith("type "),
    });
  }
  for (const match of code.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)) {
    const line = lineAt(match.index);
    found.push({ target: match[1] ?? "", line, isReExport: false, names: [], isTypeOnly: false });
  }
  return found;
}
