/** Server addresses as people type them. */
import assert from "node:assert/strict";
import test from "node:test";
import { isCleartext, parseServerUrl } from "./server-url.ts";

for (const [typed, stored] of [
  ["https://atelier.example.com/", "https://atelier.example.com"],
  ["HTTP://Example.COM:80", "http://example.com"],
  ["atelier.example.com", "https://atelier.example.com"],
  ["localhost:3000", "http://localhost:3000"],
  [" 127.0.0.1:3000/ ", "http://127.0.0.1:3000"],
  ["[::1]:3000", "http://[::1]:3000"],
  ["localhost.example.com", "https://localhost.example.com"],
  ["https://example.com/tools/atelier//?x=1#y", "https://example.com/tools/atelier"],
] as const) {
  test(`${typed} is stored as ${stored}`, () => {
    const url = parseServerUrl(typed);
    assert.equal(url.ok && url.value, stored);
  });
}

for (const typed of ["", "ftp://example.com", "https://", "https://ann:pw@example.com", "a b"]) {
  test(`${JSON.stringify(typed)} is refused as a usage mistake`, () => {
    const url = parseServerUrl(typed);
    assert.equal(!url.ok && url.failure.exitCode, 2);
  });
}

test("only http to another machine can be read on the way", () => {
  assert.equal(isCleartext("http://10.0.0.1"), true);
  assert.equal(isCleartext("https://10.0.0.1"), false);
  assert.equal(isCleartext("http://127.0.0.1:3000"), false);
  assert.equal(isCleartext("http://[::1]:3000"), false);
});
