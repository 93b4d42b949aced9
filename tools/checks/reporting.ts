/** What the checks of the codebase share: which files are ours, and how a finding is reported. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { listFiles, ROOT } from "../source-files.ts";

/** Fails with one line for each finding, below a sentence that says how to mend it. */
export function expectNone(findings: readonly string[], remedy: string): void {
  assert.equal(
    findings.length,
    0,
    `${remedy}\n${findings.map((each) => `  ${each}`).join("\n")}\n`,
  );
}

/** A check that finds nothing to check is broken, not satisfied. */
export function expectSome<Item>(items: readonly Item[], what: string): readonly Item[] {
  assert.ok(items.length > 0, `the check found no ${what}: it is not reading the repository`);
  return items;
}

/** The TypeScript of the product and its tools. */
export function listCode(): readonly string[] {
  const files = listFiles(ROOT, [
    "{libs,systems,apps}/*/src/**/*.{ts,tsx}",
    "{tools,test,bench}/**/*.ts",
  ]);
  return expectSome(
    files.filter((file) => !file.includes("/generated/")),
    "code",
  );
}

/** Files that git tracks or would track; everything where there is no git. */
export function listTracked(): readonly string[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const git = spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  const files = git.status === 0 ? git.stdout.split("\0") : listFiles(ROOT, ["**/*.*"]);
  return expectSome(
    files.filter((file) => file !== ""),
    "files",
  );
}

/** Our own Markdown. */
export function listDocuments(): readonly string[] {
  return expectSome(listFiles(ROOT, ["*.md", "docs/**/*.md"]), "documents");
}
