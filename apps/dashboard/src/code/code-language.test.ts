import assert from "node:assert/strict";
import { test } from "node:test";
import { languageOfFence, languageOfPath } from "./code-language.ts";

test("a fence names its language by any of its names, whatever else stands there", () => {
  assert.equal(languageOfFence("ts"), "typescript");
  assert.equal(languageOfFence("TypeScript title=a.ts"), "typescript");
  assert.equal(languageOfFence("sh"), "bash");
  assert.equal(languageOfFence("js{1,3}"), "javascript");
  for (const unknown of ["", "mermaid", "constructor", "text"]) {
    assert.equal(languageOfFence(unknown), null);
  }
});

test("a path has the language of its file's name", () => {
  assert.equal(languageOfPath("/srv/app/src/main.test.ts"), "typescript");
  assert.equal(languageOfPath("Dockerfile"), "dockerfile");
  assert.equal(languageOfPath("deploy/Dockerfile.dev"), "dockerfile");
  assert.equal(languageOfPath("a/Makefile"), "makefile");
  assert.equal(languageOfPath(".env"), "ini");
  assert.equal(languageOfPath("~/.npmrc"), "ini");
  for (const unknown of ["a.bin", "LICENSE", "a.ts/x", ""]) {
    assert.equal(languageOfPath(unknown), null);
  }
});
