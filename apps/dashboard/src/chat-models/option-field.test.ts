import assert from "node:assert/strict";
import { test } from "node:test";
import { readOption, writeOption, type OptionField } from "./option-field.ts";

const field = (kind: Exclude<OptionField["kind"], "choice">): OptionField => ({
  path: "options.x",
  kind,
  label: "X",
});

for (const [kind, typed, value] of [
  ["number", " 0.7 ", 0.7],
  ["number", "-2", -2],
  ["switch", "false", false],
  [
    "list",
    "a.example.com, b.example.com\nc.example.com,",
    ["a.example.com", "b.example.com", "c.example.com"],
  ],
  ["json", '{"50256": -100}', { "50256": -100 }],
  ["text", " as it is ", "as it is"],
] as const) {
  test(`${kind} ${JSON.stringify(typed)} is ${JSON.stringify(value)}, and is shown again`, () => {
    const reading = readOption(field(kind), typed);
    assert.deepEqual(reading, { kind: "value", value });
    assert.deepEqual(readOption(field(kind), writeOption(field(kind), value)), reading);
  });
}

for (const kind of ["number", "switch", "list", "json", "text"] as const) {
  test(`nothing typed for a ${kind} is no option`, () => {
    assert.deepEqual(readOption(field(kind), "  "), { kind: "absent" });
    assert.equal(writeOption(field(kind), undefined), "");
  });
}

for (const [kind, typed] of [
  ["number", "many"],
  ["number", "0x10"],
  ["json", "{a: 1}"],
] as const) {
  test(`${typed} is complained about as a ${kind}`, () => {
    assert.equal(readOption(field(kind), typed).kind, "wrong");
  });
}
