/** No credential of anybody is in the repository: not in recordings, tests or documents. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { read, ROOT } from "../source-files.ts";
import { expectNone, listTracked } from "./reporting.ts";

/** Made-up keys say so: they contain one of these words. */
const MADE_UP = /test|fake|example|placeholder|dummy|sample|removed|0000|1234|abcd|xxxx/i;
const CREDENTIALS = [
  /\bsk-[A-Za-z0-9_-]{24,}/g,
  /\b(?:ghp|gho|ghs|github_pat)_[A-Za-z0-9_]{20,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\bAIza[0-9A-Za-z_-]{35}\b/g,
  /\bBearer [A-Za-z0-9._~+/-]{32,}=*/g,
  /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/g,
];

export function credentialsIn(text: string): string[] {
  return CREDENTIALS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([found]) => found),
  ).filter((found) => !MADE_UP.test(found));
}

test("no file holds what looks like a real credential", () => {
  const findings = listTracked()
    .filter((file) => !/package-lock\.json$|\.(?:png|ico|woff2?)$/.test(file))
    .filter((file) => file !== "tools/checks/secrets.test.ts")
    .flatMap((file) =>
      credentialsIn(read(ROOT, file)).map((found) => `${file}: ${found.slice(0, 12)}…`),
    );
  expectNone(
    findings,
    "Revoke these at once if they are real. Made-up ones contain the word test.",
  );
});

test("the patterns find what they are for", () => {
  const key = `sk-ant-${"Zq9".repeat(12)}`;
  assert.deepEqual(credentialsIn(`x-api-key: ${key}`), [key]);
  assert.deepEqual(credentialsIn("authorization: Bearer sk-test"), []);
});
