import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentOf } from "./process-environment.ts";

test("a process gets the base with changes and its marker, never the agent's credentials", () => {
  const base = {
    PATH: "/bin",
    KEPT: "1",
    GONE: "1",
    UNSET: undefined,
    ATELIER_AGENT_TOKEN: "t",
    ATELIER_AGENT_TOKEN_FILE: "f",
    CODER_AGENT_TOKEN: "t",
    ATELIER_PROCESS_ID: "of a process in which the agent runs",
  };
  assert.deepEqual(environmentOf("p-1", base, { GONE: null, PATH: "/usr/bin", NEW: "" }), {
    PATH: "/usr/bin",
    KEPT: "1",
    NEW: "",
    ATELIER_PROCESS_ID: "p-1",
  });
});
