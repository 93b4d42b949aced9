import { ChatModelCallConfig } from "@atelier/contract/chat/model-call-config";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { ALL_OPTION_FIELDS, optionGroupOf } from "./option-fields.ts";

type Schema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly enum?: readonly string[];
};

/** Whatever has no properties of its own: a number, a text, a list, a JSON object of any shape. */
function leaves(schema: Schema, path: string): readonly (readonly [string, Schema])[] {
  return schema.properties === undefined
    ? [[path, schema]]
    : Object.entries(schema.properties).flatMap(([name, each]) => leaves(each, `${path}.${name}`));
}

const LEAVES = leaves(z.toJSONSchema(ChatModelCallConfig) as Schema, "options").filter(
  ([path]) => !path.startsWith("options.reasoning_effort."),
);

test("every option of a model has a field, and every field is an option", () => {
  assert.deepEqual(
    ALL_OPTION_FIELDS.map(({ path }) => path).toSorted(),
    LEAVES.map(([path]) => path).toSorted(),
  );
});

test("each field is written as its option is typed, and offers what that may be", () => {
  for (const [path, { type, enum: values }] of LEAVES) {
    const field = ALL_OPTION_FIELDS.find((each) => each.path === path);
    const kinds = {
      number: ["number"],
      integer: ["number"],
      boolean: ["switch"],
      string: values === undefined ? ["text"] : ["choice"],
      array: ["list", "json"],
      object: ["json"],
    }[type ?? ""];
    assert.ok(field !== undefined && kinds?.includes(field.kind), `${path}: ${field?.kind}`);
    if (field.kind === "choice") assert.deepEqual(field.choices.toSorted(), values?.toSorted());
  }
});

test("chats have options for all types of provider but one", () => {
  const without = MODEL_PROVIDER_TYPES.filter((type) => optionGroupOf(type) === null);
  assert.deepEqual(without, ["copilot"]);
});
