/** Credentials are taken out of what is recorded, and nothing else is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  redactHeaders,
  redactUrl,
  withoutCredentials,
  withoutHalfCredentials,
} from "./credential-redaction.ts";

test("headers that carry credentials are hidden, and limits of rates are not", () => {
  const { headers, credentials } = redactHeaders(
    new Headers({
      authorization: "Bearer one-secret",
      "x-api-key": "two-secret",
      "x-goog-api-key": "three-secret",
      "x-amz-security-token": "four-secret",
      "set-cookie": "five-secret",
      "x-ratelimit-remaining-tokens": "99",
      "anthropic-ratelimit-tokens-limit": "100",
      "content-type": "application/json",
    }),
  );
  assert.deepEqual(credentials.toSorted(), [
    ...["five-secret", "four-secret", "one-secret", "three-secret", "two-secret"],
  ]);
  assert.deepEqual(
    Object.entries(headers).filter(([, value]) => value !== "[redacted]"),
    [
      ["anthropic-ratelimit-tokens-limit", "100"],
      ["content-type", "application/json"],
      ["x-ratelimit-remaining-tokens", "99"],
    ],
  );
});

test("an address keeps neither a person's password nor a key in its query", () => {
  const { url, credentials } = redactUrl("https://ann:pass@host/v1?key=abc&api-version=2&sig=def");
  assert.equal(
    url,
    "https://%5Bredacted%5D@host/v1?key=%5Bredacted%5D&api-version=2&sig=%5Bredacted%5D",
  );
  assert.deepEqual(credentials, ["ann", "pass", "abc", "def"]);
});

test("a known key is taken out wherever it stands, as JSON spells it too", () => {
  const known = new Set(['odd"key\\of-mine', "plain-key-of-mine", "short"]);
  const json = JSON.stringify({ error: 'no: odd"key\\of-mine', more: "plain-key-of-mine, short" });
  const clean = withoutCredentials(json, known);
  assert.deepEqual(JSON.parse(clean), {
    error: "no: [redacted]",
    more: "[redacted], short",
  });
});

test("of a key that stood where the middle was left out, no half is told", () => {
  const known = new Set(["first-half-second-half", "short"]);
  const cut = (first: string, last: string) => withoutHalfCredentials({ first, last }, known);
  assert.deepEqual(cut("no: first-half-", "second-half is wrong"), {
    ...{ first: "no: [redacted]", last: "[redacted] is wrong" },
  });
  assert.deepEqual(cut("the first", "half of it"), { first: "the first", last: "half of it" });
});

test("what has the form of a provider's key is taken out though nobody knows it", () => {
  const keys = [
    ...["sk-ant-api03-abcdefgh", "sk-proj-****wxyz", "AIzaSyA1234567890abcdefghijkl"],
    ...["AKIAIOSFODNN7EXAMPLE", "Bearer abcdefghijklmnop", "ghp_abcdefghijklmnopqrstuvwxyz"],
  ];
  for (const key of keys) {
    const clean = withoutCredentials(`before ${key}, after`, new Set());
    assert.equal(clean, "before [redacted], after");
  }
  const prose = "ask-the-desk about risk-averse tokens, key-value stores and Bearer of news";
  assert.equal(withoutCredentials(prose, new Set()), prose);
});
