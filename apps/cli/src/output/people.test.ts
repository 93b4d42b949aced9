/** Tables and texts for people: width, colors, and nothing that a terminal would act on. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import picocolors from "picocolors";
import { failureOfProblem } from "../cli-failure.ts";
import { formatJson } from "./json.ts";
import { failureText, fields, table, type Look } from "./people.ts";
import { relativeTime } from "./relative-time.ts";
import { safe, terminalSafe } from "./terminal-safe.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const COLUMNS = [{ title: "NAME" }, { title: "EMAIL" }, { title: "ID", isWhole: true }];
const ID = "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c";

test("a table has a head, aligned columns and no trailing space", () => {
  assert.equal(
    table(look({ columns: 80 }), COLUMNS, [
      ["ann", "ann@example.com", "1"],
      ["bartholomew", "b@example.com", "2"],
    ]),
    [
      "NAME         EMAIL            ID",
      "ann          ann@example.com  1",
      "bartholomew  b@example.com    2",
    ].join("\n"),
  );
});

test("a table fits 80 columns by cutting, but keeps ids whole", () => {
  const text = table(look({ columns: 80 }), COLUMNS, [["n".repeat(60), "e".repeat(60), ID]]);
  for (const line of text.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(text, /n…/);
  assert.ok(text.includes(ID));
});

test("wide letters count twice, so the table still fits", () => {
  const text = table(look({ columns: 60 }), COLUMNS, [["漢".repeat(40), "e", ID]]);
  const row = text.split("\n")[1] ?? "";
  const wide = [...row].filter((letter) => letter === "漢").length;
  assert.ok(wide > 0 && [...row].length + wide <= 60, row);
});

test("in a pipe nothing is cut", () => {
  const name = "n".repeat(300);
  assert.ok(table(look({ columns: null }), COLUMNS, [[name, "e", ID]]).includes(name));
});

test("any text, in any place, leaves no control characters but our own line breaks", () => {
  const hostile = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(hostile, hostile, fc.constantFrom(40, 80, null), (one, two, columns) => {
      const shown = [
        table(look({ columns }), [{ title: "A" }, { title: "B" }], [[one, two]]),
        fields(look({ columns }), [["A", { text: one, tone: "bad" }]]),
        failureText(look({ columns }), failureOfProblem({ ...PROBLEM, message: one, detail: two })),
        formatJson({ [one]: two }),
      ].join("\n");
      assert.doesNotMatch(shown, /(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});

test("escape sequences are visible as replaced, line breaks as a space", () => {
  assert.equal(terminalSafe("a\u001b[2Jb\u009bc"), "a\ufffd[2Jb\ufffdc");
  assert.equal(terminalSafe("one\r\ntwo\tthree"), "one two three");
  assert.equal(terminalSafe("abc\u202etxt.exe"), "abc\ufffdtxt.exe");
  assert.equal(terminalSafe("naïve 漢字 👩‍🚀"), "naïve 漢字 👩‍🚀");
  assert.equal(safe`Deleted ${"x\u001b]0;y\u0007"}.\n`, "Deleted x\ufffd]0;y\ufffd.\n");
});

test("JSON stays the same value when hostile characters are escaped", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.deepEqual(JSON.parse(formatJson({ text })), { text });
    }),
  );
});

test("a failure says what, where, what to do and the request id", () => {
  assert.equal(
    failureText(
      look({ columns: 80 }),
      failureOfProblem({
        ...PROBLEM,
        status: 409,
        code: "user.email_taken",
        message: "A user with this email already exists.",
        validations: [{ field: "email", detail: "Taken." }],
        requestId: "r-1",
      }),
    ),
    [
      "Error: A user with this email already exists.",
      "  email: Taken.",
      "  Use another email.",
      "  Request id: r-1",
    ].join("\n"),
  );
});

for (const [isoTime, text] of [
  ["2026-03-01T11:59:55Z", "just now"],
  ["2026-03-01T11:59:30Z", "30s ago"],
  ["2026-03-01T11:00:01Z", "59m ago"],
  ["2026-03-01T11:00:00Z", "1h ago"],
  ["2026-02-20T12:00:00Z", "9d ago"],
  ["2026-03-31T12:00:00Z", "in 1mo"],
  ["2029-03-01T12:00:00Z", "in 3y"],
] as const) {
  test(`${isoTime} is ${text}`, () => assert.equal(relativeTime(isoTime, NOW), text));
}

const PROBLEM = {
  status: null,
  code: "server.bug",
  message: "",
  detail: null,
  validations: [],
  requestId: null,
  retryAfterSeconds: null,
} as const;

function look({ columns }: { readonly columns: number | null }): Look {
  return { columns, colors: picocolors.createColors(false), now: NOW };
}
