import assert from "node:assert/strict";
import { test } from "node:test";
import {
  findMember,
  JSON_DEPTH_MAX,
  listElements,
  readMembers,
  readText,
  replaceSlice,
  scanDocument,
} from "./json-scanner.ts";
import { simulate } from "./json-scanner.simulation.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (from: Uint8Array): string => new TextDecoder().decode(from);

for (const { name, document, want } of [
  { name: "no bytes", document: "", want: "empty at 0" },
  { name: "white space only", document: " \n", want: "empty at 2" },
  { name: "an array", document: " [1]", want: "not_an_object at 1" },
  { name: "null", document: "null", want: "not_an_object at 0" },
  { name: "a document that stops", document: '{"a":', want: "malformed at 5" },
  { name: "a string that stops", document: '{"a":"b', want: "malformed at 7" },
  { name: "a string that ends in a backslash", document: '{"a":"b\\"', want: "malformed at 9" },
  { name: "something after the value", document: "{} x", want: "malformed at 3" },
  { name: "a second value", document: "{}{}", want: "malformed at 2" },
  { name: "a comma too many", document: '{"a":1,}', want: "malformed at 7" },
  { name: "a name without quotes", document: "{a:1}", want: "malformed at 1" },
  { name: "a word that is none", document: '{"a":trua}', want: "malformed at 8" },
  { name: "a number with a leading zero", document: '{"a":01}', want: "malformed at 6" },
  { name: "a number without digits", document: '{"a":-}', want: "malformed at 6" },
  { name: "a byte order mark", document: "\uFEFF{}", want: "malformed at 0" },
]) {
  test(`${name} is refused as ${want}`, () => {
    const scanned = scanDocument(bytes(document), []);
    assert.ok(!scanned.ok);
    assert.equal(`${scanned.failure.kind} at ${scanned.failure.offset}`, want);
  });
}

test("the last of several members with one name counts, however it is spelled", () => {
  const body = bytes('{"model":"a","mod\\u0065l":"b","x":{"model":"c"}}');
  const scanned = scanDocument(body, ["model"]);
  assert.equal(scanned.ok && readText(body, scanned.value.get("model")), "b");
});

test("the last element of an array is found beside nested and empty ones", () => {
  const body = bytes('{"messages":[{"a":[1,[2]]} , {"b":[]} ] ,"other":[]}');
  const scanned = scanDocument(body, ["messages", "other"]);
  assert.ok(scanned.ok);
  const last = scanned.value.get("messages")?.lastElement;
  assert.ok(last);
  assert.equal(text(body.subarray(last.start, last.end)), '{"b":[]}');
  assert.equal(scanned.value.get("other")?.lastElement, null);
});

test("nesting is limited", () => {
  const nested = (depth: number): Uint8Array =>
    bytes(`{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`);
  assert.equal(scanDocument(nested(JSON_DEPTH_MAX), []).ok, true);
  assert.equal(scanDocument(nested(JSON_DEPTH_MAX + 1), []).ok, false);
});

test("strings that JSON.parse refuses are passed over, and read as far as they can be", () => {
  const body = Uint8Array.from([...bytes('{"a":"\n'), 0xff, ...bytes('","b":"\\x"}')]);
  const scanned = scanDocument(body, ["a", "b"]);
  assert.ok(scanned.ok);
  assert.equal(readText(body, scanned.value.get("a")), "\n\uFFFD");
  assert.equal(readText(body, scanned.value.get("b")), null);
});

test("a member is found by its path and replaced without touching other bytes", () => {
  const body = bytes('{ "a" : [ {"b": 1.0}, {"b" : "x"} ] , "a2":2 }');
  const slice = findMember(body, ["a", -1, "b"]);
  assert.ok(slice);
  assert.equal(text(body.subarray(slice.start, slice.end)), '"x"');
  const changed = replaceSlice(body, slice, bytes('"longer"'));
  assert.equal(text(changed), '{ "a" : [ {"b": 1.0}, {"b" : "longer"} ] , "a2":2 }');
  assert.equal(findMember(body, ["a", 2, "b"]), null);
  assert.equal(findMember(body, ["a", "b"]), null);
  assert.equal(findMember(bytes('{"a":1'), ["a"]), null);
});

test("reading members or elements of something else finds none", () => {
  const body = bytes('[1,"x"]');
  assert.equal(readMembers(body, { start: 0, end: body.length }, ["a"]).size, 0);
  assert.deepEqual(listElements(body, { start: 1, end: 2 }), []);
  assert.equal(readText(body, undefined), null);
});

test("100,000 written and damaged documents are judged and read as JSON.parse does", async () => {
  await simulate({ seed: 20_260_101, runs: 100_000, report: () => {} });
});

test("no document takes long: 4 MiB of what is slowest are scanned in well under a second", () => {
  const size = 4 * 1024 * 1024;
  for (const piece of ['\\"', "\\\\", "[", '{"a":', '"a",', "1,", " "]) {
    const filled = bytes(`{"a":${piece === "\\" ? "" : '"'}${piece.repeat(size / piece.length)}`);
    const startedMs = performance.now();
    scanDocument(filled, ["a"]);
    assert.ok(performance.now() - startedMs < 1_000, `${piece} took too long`);
  }
});
