import assert from "node:assert/strict";
import { test } from "node:test";
import { rawAnswerHeaders, rawBodyOf } from "./raw-content.ts";

const BYTES = new Uint8Array([1]);

for (const { name, disposition, fileName } of [
  { name: "none", disposition: undefined, fileName: null },
  {
    name: "a quoted one",
    disposition: 'attachment; filename="a \\"b\\".txt"',
    fileName: 'a "b".txt',
  },
  { name: "a bare one", disposition: "attachment; filename=a.txt", fileName: "a.txt" },
  {
    name: "an extended one, which wins",
    disposition: "attachment; filename=\"e.txt\"; filename*=UTF-8''%E2%82%AC.txt",
    fileName: "€.txt",
  },
  {
    name: "a broken extended one, and a plain one",
    disposition: "attachment; filename*=UTF-8''%E2%8; filename=\"e.txt\"",
    fileName: "e.txt",
  },
  {
    name: "UTF-8 in quotes, as Node reads it",
    disposition: `attachment; filename="${Buffer.from("ä.md").toString("latin1")}"`,
    fileName: "ä.md",
  },
]) {
  test(`the name of an upload with ${name} is read`, () => {
    const headers = disposition === undefined ? {} : { "content-disposition": disposition };
    assert.equal(rawBodyOf(headers, BYTES).fileName, fileName);
  });
}

test("a media type is read without its parameters", () => {
  const headers = { "content-type": " Text/Plain; charset=utf-8" };
  assert.equal(rawBodyOf(headers, BYTES).mediaType, "text/plain");
  assert.equal(rawBodyOf({}, BYTES).mediaType, null);
});

test("no name of a file gets out of its header", () => {
  const fileName = "a\r\nSet-Cookie: x=1\"; ä'(1).html\ud800";
  const headers = rawAnswerHeaders({
    bytes: BYTES,
    mediaType: "text/plain",
    fileName,
    isInline: true,
  });
  const disposition = headers["content-disposition"] ?? "";
  assert.match(
    disposition,
    /^inline; filename="[\x20-\x21\x23-\x7E]*"; filename\*=UTF-8''[\w%.~-]+$/,
  );
  assert.equal(decodeURIComponent(disposition.split("''")[1] ?? ""), fileName.toWellFormed());
});

test("nothing in a file runs under our origin", () => {
  const given = { bytes: BYTES, mediaType: "image/png", fileName: "a.png", isInline: false };
  const headers = rawAnswerHeaders(given);
  assert.match(headers["content-security-policy"] ?? "", /default-src 'none'; sandbox/);
  assert.match(headers["content-disposition"] ?? "", /^attachment;/);
});
