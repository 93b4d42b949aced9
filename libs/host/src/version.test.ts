/** One version for the whole repository. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { VERSION } from "./version.ts";

test("the version is that of the repository", () => {
  const root = new URL("../../../package.json", import.meta.url);
  const manifest = JSON.parse(readFileSync(root, "utf8")) as { version: string };
  assert.equal(VERSION, manifest.version);
});
