/** `tools/test.ts` on test files made for it: what it counts, how it ends, and that nothing is lost. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const RUNNER = join(import.meta.dirname, "test.ts");
const IMPORT = 'import { test } from "node:test";\n';

for (const { name, files, lastLine, says } of [
  {
    name: "passing and skipped tests",
    files: {
      "a.test.ts": `${IMPORT}test("works", () => {}); test("waits", { skip: "for a browser" }, () => {});`,
      "b.test.ts": `${IMPORT}test("works too", () => {}); test("later", { todo: true });`,
    },
    lastLine: "2 passed, 0 failed, 2 skipped",
    says: ["a.test.ts: waits: for a browser"],
  },
  {
    name: "a failing test, once, although it fails what it is in",
    files: {
      "a.test.ts": `${IMPORT}test("outer", (t) => t.test("inner", () => { throw new Error("on purpose"); }));`,
    },
    lastLine: "0 passed, 1 failed, 0 skipped",
    says: ["a.test.ts: inner", "Error: on purpose"],
  },
  {
    name: "a file that cannot be loaded, beside one that can",
    files: {
      "a.test.ts": 'import "./absent.ts";',
      "b.test.ts": `${IMPORT}test("works", () => {});`,
    },
    lastLine: "1 passed, 1 failed, 0 skipped",
    says: ["ERR_MODULE_NOT_FOUND"],
  },
  {
    name: "a file without tests",
    files: { "a.test.ts": "export {};" },
    lastLine: "0 passed, 1 failed, 0 skipped",
    says: ["a.test.ts: has no tests"],
  },
  {
    name: "a process that ends in the middle",
    files: { "a.test.ts": `${IMPORT}test("leaves", () => process.exit(0));` },
    lastLine: "0 passed, 1 failed, 0 skipped",
    says: ["a.test.ts: the process ended before its tests were over"],
  },
  {
    name: "a rejection that nobody waits for",
    files: {
      "a.test.ts": `${IMPORT}test("floats", () => { Promise.reject(new Error("lost")); });`,
    },
    lastLine: "1 passed, 1 failed, 0 skipped",
    says: ["a.test.ts: the process ended with 1", "Error: lost"],
  },
  {
    name: "a path without tests",
    files: {},
    lastLine: "0 passed, 1 failed, 0 skipped",
    says: ["no tests match"],
  },
]) {
  test(`the runner counts ${name}`, () => {
    const directory = mkdtempSync(join(tmpdir(), "atelier-runner-"));
    try {
      for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
      const run = spawnSync(process.execPath, [RUNNER, directory], { encoding: "utf8" });
      assert.equal(run.stdout.trimEnd().split("\n").at(-1), lastLine, run.stdout + run.stderr);
      assert.equal(run.status, lastLine.includes(" 0 failed") ? 0 : 1);
      for (const text of says) assert.ok(run.stdout.includes(text), run.stdout);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}
