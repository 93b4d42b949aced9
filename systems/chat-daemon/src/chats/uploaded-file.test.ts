import assert from "node:assert/strict";
import { test } from "node:test";
import { isShownInline, uploadedFile } from "./uploaded-file.ts";

const PNG = Buffer.from("89504e470d0a1a0a00000000", "hex");
const TEXT = Buffer.from("a,b\n1,2\n");
const HTML = Buffer.from("<script>alert(1)</script>");

for (const { name, bytes, mediaType, fileName, wanted } of [
  {
    name: "an image that says so",
    bytes: PNG,
    mediaType: "image/png",
    fileName: "a.png",
    wanted: "a.png image/png",
  },
  {
    name: "an image that says nothing",
    bytes: PNG,
    mediaType: null,
    fileName: null,
    wanted: "file.png image/png",
  },
  {
    name: "an image under a false name",
    bytes: PNG,
    mediaType: "image/jpeg",
    fileName: "a.jpg",
    wanted: "request.invalid",
  },
  {
    name: "a text that is said to be an image",
    bytes: TEXT,
    mediaType: "image/png",
    fileName: "a.png",
    wanted: "request.invalid",
  },
  {
    name: "an image that is said to be text",
    bytes: PNG,
    mediaType: "text/plain",
    fileName: "a.txt",
    wanted: "request.invalid",
  },
  { name: "a table", bytes: TEXT, mediaType: "text/csv", fileName: "t", wanted: "t text/csv" },
  {
    name: "a table known by its name",
    bytes: TEXT,
    mediaType: "application/octet-stream",
    fileName: "t.csv",
    wanted: "t.csv text/csv",
  },
  {
    name: "a page",
    bytes: HTML,
    mediaType: "text/html",
    fileName: "a.html",
    wanted: "chat_file.type_unsupported",
  },
  {
    name: "a page without a type",
    bytes: HTML,
    mediaType: null,
    fileName: "a.html",
    wanted: "a.html text/plain",
  },
  {
    name: "a program",
    bytes: Buffer.from("7f454c4600ff", "hex"),
    mediaType: null,
    fileName: "a",
    wanted: "chat_file.type_unsupported",
  },
  {
    name: "nothing",
    bytes: Buffer.alloc(0),
    mediaType: "text/plain",
    fileName: "a",
    wanted: "request.invalid",
  },
  {
    name: "a path",
    bytes: TEXT,
    mediaType: "text/plain",
    fileName: "../../etc/pass\u202ewd\n",
    wanted: "passwd text/plain",
  },
  {
    name: "a path to nowhere",
    bytes: TEXT,
    mediaType: "text/plain",
    fileName: "a/..",
    wanted: "file.txt text/plain",
  },
]) {
  test(`an upload of ${name} is kept as what it is, or refused`, () => {
    const kept = uploadedFile({ bytes, mediaType, fileName });
    const found = kept.ok ? `${kept.value.name} ${kept.value.mediaType}` : kept.failure.code;
    assert.equal(found, wanted);
  });
}

test("only what has no way to run is shown in place", () => {
  const types = ["image/png", "text/plain", "application/pdf", "text/markdown", "application/json"];
  assert.deepEqual(types.filter(isShownInline), ["image/png", "text/plain"]);
});
