/** Documents stay short, and what they link to exists. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { read, ROOT } from "../source-files.ts";
import { expectNone, expectSome, listDocuments } from "./reporting.ts";

const LINES_MAX: readonly (readonly [pattern: RegExp, lines: number])[] = [
  [/^AGENTS\.md$/, 120],
  [/^ARCHITECTURE\.md$/, 300],
  [/^CONTRIBUTING\.md$/, 150],
  [/^docs\/checklists\//, 20],
  [/^docs\/decisions\//, 60],
];

test("every link between documents and files resolves", () => {
  const links = listDocuments().flatMap((file) => linksIn(file));
  const broken = expectSome(links, "links")
    .filter(({ file, target }) => !resolves(file, target))
    .map(({ file, target }) => `${file}: ${target}`);
  expectNone(broken, "Correct these links.");
});

test("paths that documents name in code quotes exist", () => {
  const missing = listDocuments().flatMap((file) =>
    [
      ...read(ROOT, file).matchAll(
        /`((?:apps|systems|libs|tools|test|bench|docs)\/[\w./-]+\.\w+)`/g,
      ),
    ]
      .map(([, path = ""]) => path)
      .filter((path) => !existsSync(join(ROOT, path)) && !/NNNN|[<*…]/.test(path))
      .map((path) => `${file}: ${path}`),
  );
  expectNone(missing, "These files do not exist.");
});

test("documents keep to their length", () => {
  const long = listDocuments().flatMap((file) => {
    const limit = LINES_MAX.find(([pattern]) => pattern.test(file))?.[1] ?? Infinity;
    const lines = read(ROOT, file).trimEnd().split("\n").length;
    return lines > limit ? [`${file}: ${lines} lines of ${limit}`] : [];
  });
  expectNone(long, "Shorten these, or move parts to pages of their own.");
});

function linksIn(file: string): { readonly file: string; readonly target: string }[] {
  const text = read(ROOT, file).replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ file, target: match[1] ?? "" }));
}

function resolves(file: string, target: string): boolean {
  if (/^(?:https?|mailto):/.test(target)) return true; // Not ours to check, and not without a network.
  const [path = "", anchor] = target.split("#");
  const reached = path === "" ? file : join(dirname(file), path);
  if (!existsSync(join(ROOT, reached))) return false;
  return anchor === undefined || anchorsOf(read(ROOT, reached)).has(anchor);
}

/** As code hosts make them from headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.match(/^#+ .*$/gm) ?? [];
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/^#+ /, "")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
