/** The test of a model provider in a terminal: what is wrong, what to do, and the exit code. */
import assert from "node:assert/strict";
import test from "node:test";
import { cli, ID, SIGNED_IN } from "../cli-scene.test.ts";

const ROUTE = "POST /api/v2/ai/providers/:provider/test";
const WELL = {
  kind: "credential",
  outcome: "ok",
  status: 200,
  latency_ms: 120,
  model: null,
  message: null,
  explanation: "The provider accepts the key.",
  remedy: null,
};
const ILL = {
  ...WELL,
  kind: "completion",
  outcome: "not_found",
  status: 404,
  latency_ms: 80,
  model: "gpt-6",
  message: "no such\u001b[2J model",
  explanation: 'The provider does not have the model "gpt-6".',
  remedy: "Check the model's name.",
};
const FIRST = { id: ID, masked: "sk-a...wxyz", enabled: true };
const SECOND = { ...FIRST, masked: "sk-b...wxyz" };

function answer(passed: boolean) {
  return {
    provider: { id: ID, name: "main", type: "openai" },
    passed,
    results: [
      { key: FIRST, passed: true, checks: [WELL], notes: [] },
      ...(passed
        ? []
        : [{ key: SECOND, passed: false, checks: [WELL, ILL], notes: ["This key is disabled."] }]),
    ],
    notes: [] as string[],
  };
}

test("what went wrong is explained below the table, and the exit code is 1", async () => {
  const bodies: unknown[] = [];
  const run = await cli(["providers", "test", "main", "--model", "gpt-6", "--key", ID], {
    variables: SIGNED_IN,
    [ROUTE]: ({ body }) => {
      bodies.push(body);
      return answer(false);
    },
  });
  assert.equal(run.exitCode, 1);
  assert.deepEqual(bodies, [{ model: "gpt-6", key: ID }]);
  assert.deepEqual(run.out.split("\n"), [
    "KEY          TEST        RESULT     STATUS  TIME    MODEL",
    "sk-a...wxyz  credential  ok         200     120 ms  -",
    "sk-b...wxyz  credential  ok         200     120 ms  -",
    "sk-b...wxyz  completion  not_found  404     80 ms   gpt-6",
    "",
    'sk-b...wxyz, completion: The provider does not have the model "gpt-6".',
    "  It says: no such\ufffd[2J model",
    "  Next: Check the model's name.",
    "",
    "Note: sk-b...wxyz: This key is disabled.",
    "",
    "main (openai): Not everything works.",
    "",
  ]);
  assert.equal(run.err, "");
});

test("a provider that works says so, with exit code 0", async () => {
  const run = await cli(["providers", "test", "main"], {
    variables: SIGNED_IN,
    [ROUTE]: ({ body }) => {
      assert.deepEqual(body, {});
      return answer(true);
    },
  });
  assert.equal(run.exitCode, 0);
  assert.match(run.out, /\n\nmain \(openai\): Everything that was tested works\.\n$/);
});

for (const passed of [true, false]) {
  test(`with --json the answer is printed as it is, and the exit code tells (${passed})`, async () => {
    const run = await cli(["providers", "test", "main", "--json"], {
      variables: SIGNED_IN,
      [ROUTE]: () => answer(passed),
    });
    assert.deepEqual([run.exitCode, run.err], [passed ? 0 : 1, ""]);
    assert.deepEqual(JSON.parse(run.out), answer(passed));
  });
}

test("a provider without keys of its own has no key in the table", async () => {
  const run = await cli(["providers", "test", "copilot"], {
    variables: SIGNED_IN,
    [ROUTE]: () => ({
      ...answer(true),
      results: [
        { key: null, passed: true, checks: [{ ...WELL, kind: "reachability" }], notes: ["BYOK."] },
      ],
    }),
  });
  assert.match(run.out, /\n- +reachability +ok/);
  assert.match(run.out, /\nNote: BYOK\.\n/);
});

test("a server that cannot test now is an error", async () => {
  const run = await cli(["providers", "test", "main"], {
    variables: SIGNED_IN,
    [ROUTE]: () => "ai_provider.test_unavailable" as const,
  });
  assert.equal(run.exitCode, 6);
  assert.match(run.err, /cannot be tested here at the moment/);
});
