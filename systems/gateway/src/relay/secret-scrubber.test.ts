import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { SecretScrubber } from "./secret-scrubber.ts";

const SECRET = "sk-9/aB+xyz=0123456";

function scrub(pieces: readonly Uint8Array[], secret = SECRET): string {
  const scrubber = new SecretScrubber(secret);
  const out = [...pieces.map((piece) => scrubber.push(piece)), scrubber.flush()];
  return Buffer.concat(out.filter((piece) => piece !== null)).toString("latin1");
}

const PLAIN_SECRET = "sk-9.aB_xyz-0123456";

/** Some text that holds the secret, and where it is cut into pieces. */
function textWith(secret: string): fc.Arbitrary<string> {
  const known = fc.constantFrom(secret, secret.slice(0, 7), "sk-", "s", " ");
  return fc.array(fc.oneof(known, fc.string()), { maxLength: 12 }).map((parts) => parts.join(""));
}

const CUTS = fc.array(fc.nat(200), { maxLength: 12 });

for (const secret of [SECRET, PLAIN_SECRET]) {
  test(`however a text is cut, ${secret} is not in it, and the rest is as it was`, () => {
    fc.assert(
      fc.property(textWith(secret), CUTS, (text, cuts) => {
        const bytes = Buffer.from(text, "latin1");
        const ends = [...new Set([...cuts, bytes.length])].toSorted((a, b) => a - b);
        const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        const expected = bytes.toString("latin1").replaceAll(secret, "*".repeat(secret.length));
        const got = scrub(pieces, secret);
        assert.equal(got.length, expected.length);
        // A beginning of it at the very end may be taken for one that was cut off.
        const certain = Math.max(0, expected.length - secret.length + 1);
        assert.equal(got.slice(0, certain), expected.slice(0, certain));
        assert.ok(!got.includes(secret));
      }),
    );
  });
}

test("a piece without it is passed on as the same bytes in the same memory", () => {
  const scrubber = new SecretScrubber(SECRET);
  const piece = Buffer.from("data: {}\n\n");
  const passed = scrubber.push(piece);
  assert.deepEqual([passed?.buffer, passed?.byteOffset], [piece.buffer, piece.byteOffset]);
  assert.equal(scrubber.flush(), null);
});

test("an end is held back only as long as the secret could begin with it", () => {
  const scrubber = new SecretScrubber(SECRET);
  const push = (text: string): string => String(scrubber.push(Buffer.from(text)) ?? "");
  assert.deepEqual(["is a sX", "sk-8", "s", "k", "X", "ask-9"].map(push), [
    ...["is a sX", "sk-8", "", "", "skX", "a"],
  ]);
});

test("a masked key that somebody saved as the key does no harm", () => {
  const stars = "*".repeat(12);
  assert.equal(scrub([Buffer.from(`key: ${stars} ${stars}`)], stars), `key: ${stars} ${stars}`);
  assert.equal(new SecretScrubber(stars).scrubText(stars), stars);
});

test("its other spellings are found: in JSON and in URLs", () => {
  for (const spelling of [
    "sk-9\\/aB+xyz=0123456",
    "sk-9\\u002faB\\u002bxyz\\u003d0123456",
    "sk-9\\u002FaB\\u002Bxyz\\u003D0123456",
    "sk-9%2FaB%2Bxyz%3D0123456",
  ]) {
    const stars = "*".repeat(spelling.length);
    assert.equal(scrub([Buffer.from(`<${spelling}>`)]), `<${stars}>`);
    assert.equal(new SecretScrubber(SECRET).scrubText(`<${spelling}>`), `<${stars}>`);
  }
});

test("a stream that breaks off inside it gives no more than its first letters", () => {
  assert.equal(scrub([Buffer.from(`key: ${SECRET.slice(0, -1)}`)]), `key: ${"*".repeat(18)}`);
  assert.equal(scrub([Buffer.from("key: sk-9")]), "key: sk-9");
});
