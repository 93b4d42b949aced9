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
    ATELIER_PROCESS_STATE: "of a process in which the agent runs",
  };
  const changes = { GONE: null, PATH: "/usr/bin", NEW: "" };
  assert.deepEqual(environmentOf({ id: "p-1", directory: "/state/p-1" }, base, changes), {
    PATH: "/usr/bin",
    KEPT: "1",
    NEW: "",
    ATELIER_PROCESS_ID: "p-1",
    ATELIER_PROCESS_STATE: "/state/p-1",
  });
});
