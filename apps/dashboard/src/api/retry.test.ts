import type { ApiProblem } from "@atelier/contract/client";
import assert from "node:assert/strict";
import { test } from "node:test";
import { mayReadAgain, readAgainInMs } from "./retry.ts";

const problem = (over: Partial<ApiProblem>): ApiProblem => ({
  status: 500,
  code: "server.bug",
  message: "",
  detail: null,
  validations: [],
  requestId: null,
  retryAfterSeconds: null,
  ...over,
});

test("what time may heal is read again, three times", () => {
  const away = problem({ status: null, code: "client.unreachable" });
  assert.deepEqual(
    [0, 1, 2, 3].map((failures) => mayReadAgain(failures, away)),
    [true, true, true, false],
  );
  assert.ok(mayReadAgain(0, problem({ status: 503, code: "server.unavailable" })));
});

test("what stays wrong is not", () => {
  assert.ok(!mayReadAgain(0, problem({ status: 401, code: "request.unauthenticated" })));
  assert.ok(!mayReadAgain(0, problem({ status: 404, code: "resource.not_found" })));
  assert.ok(!mayReadAgain(0, problem({ status: 500 })));
});

test("waits double, and the server's own word wins", () => {
  assert.deepEqual(
    [0, 1, 2, 9].map((failures) => readAgainInMs(failures, problem({}))),
    [500, 1_000, 2_000, 10_000],
  );
  assert.equal(readAgainInMs(0, problem({ retryAfterSeconds: 7 })), 7_000);
});
