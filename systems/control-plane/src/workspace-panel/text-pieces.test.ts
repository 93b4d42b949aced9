import assert from "node:assert/strict";
import { test } from "node:test";
import { FILE_TEXT_BYTES_MAX } from "@atelier/contract/http/workspace-files";
import { WORKSPACE_FAILURE_CODES } from "@atelier/contract/rpc/workspace/operation";
import { FAILURES } from "@atelier/contract/failures";
import { toMachineFailure } from "@atelier/contract/rpc/workspace/machine-failure";
import fc from "fast-check";
import { fileText, mediaTypeOf } from "./file-text.ts";
import { textPieces, type TextPiece } from "./text-pieces.ts";

async function piecesOf(chunks: readonly Uint8Array[], start: number): Promise<TextPiece[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  return Array.fromAsync(textPieces(source(), start));
}

test("however bytes are cut, the texts are whole characters, and their places have no gap", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme" }),
      fc.array(fc.nat(7)),
      fc.nat(1_000),
      async (text, cuts, start) => {
        const bytes = Buffer.from(text.toWellFormed());
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(at, at + cut));
          at = Math.min(bytes.byteLength, at + cut);
        }
        chunks.push(bytes.subarray(at));
        const pieces = await piecesOf(chunks, start);
        assert.equal(pieces.map((piece) => piece.text).join(""), text.toWellFormed());
        let place = start;
        for (const { text: part, from, to } of pieces) {
          assert.deepEqual([from, to - from], [place, Buffer.byteLength(part)]);
          place = to;
        }
        assert.equal(place, start + bytes.byteLength);
      },
    ),
  );
});

test("bytes that are no text do not stop it", async () => {
  const pieces = await piecesOf([Buffer.from([0xff, 0x41]), Buffer.from([0xf0, 0x9f])], 0);
  assert.equal(pieces.map(({ text }) => text).join(""), "\uFFFDA\uFFFD");
  assert.equal(pieces.at(-1)?.to, 4);
});

test("a file is text, cut at a whole character, or none", () => {
  assert.deepEqual(fileText(Buffer.from("tëxt")), { text: "tëxt", isCut: false });
  assert.deepEqual(fileText(Buffer.from("")), { text: "", isCut: false });
  assert.deepEqual(fileText(Buffer.from([0x41, 0])), { text: null, isCut: false });
  assert.deepEqual(fileText(Buffer.from([0xff])), { text: null, isCut: false });
  // Cut in the middle of a character, which is left out.
  const long = fileText(Buffer.from(`a${"é".repeat(FILE_TEXT_BYTES_MAX)}`));
  assert.ok(long.isCut && long.text?.endsWith("é"));
  assert.equal(Buffer.byteLength(long.text ?? ""), FILE_TEXT_BYTES_MAX - 1);
});

test("only pictures that run nothing are shown in place", () => {
  assert.deepEqual(mediaTypeOf("a.PNG"), { mediaType: "image/png", isInline: true });
  for (const name of ["a.svg", "a.html", "png", "a.constructor", "a."]) {
    const saved = { mediaType: "application/octet-stream", isInline: false };
    assert.deepEqual(mediaTypeOf(name), saved, name);
  }
});

test("every refusal of a machine means something, and only broken ones are worth asking again", () => {
  for (const code of WORKSPACE_FAILURE_CODES) {
    const failure = toMachineFailure({ code, message: "because" });
    assert.ok(FAILURES[failure.code].status >= 400);
    assert.equal(failure.detail, code === "disconnected" ? undefined : "because");
  }
  const statusOf = (code: (typeof WORKSPACE_FAILURE_CODES)[number]): number =>
    FAILURES[toMachineFailure({ code, message: "" }).code].status;
  assert.deepEqual(
    [statusOf("disconnected"), statusOf("permission_denied"), statusOf("timed_out")],
    [409, 422, 502],
  );
});
