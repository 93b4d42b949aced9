import { createFirstUser } from "@atelier/contract/http/users";
import assert from "node:assert/strict";
import { test } from "node:test";
import { complaintAbout, complaintsBeside, problemOfBody } from "./field-problems.ts";

const GOOD = { email: "ann@example.com", username: "ann", password: "long enough" };

test("a body that the endpoint takes has no problem", () => {
  assert.equal(problemOfBody(createFirstUser, GOOD), null);
});

test("one that it does not take has one for each field", () => {
  const problem = problemOfBody(createFirstUser, { ...GOOD, username: "me" });
  assert.equal(complaintAbout(problem, "username"), "This name is reserved.");
  assert.equal(complaintAbout(problem, "email"), null);
});

test("what no shown field has taken is told beside", () => {
  const problem = problemOfBody(createFirstUser, { ...GOOD, surprise: 1, email: "x" });
  assert.notEqual(problem, null);
  const beside = complaintsBeside(problem, ["email", "username"]);
  assert.equal(beside.length, 1);
  assert.match(beside[0] ?? "", /surprise/);
});
