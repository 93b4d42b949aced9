import assert from "node:assert/strict";
import { test } from "node:test";
import { EXECUTION_STATES, executionStateOf, TRANSITIONS } from "./execution-state.ts";
import { isTransitionAllowed, mayLeadTo } from "./transition-table.ts";

/** The table of spec agents 2.4, row by row. Whatever is absent is refused. */
const SPECIFIED = `
  W    send_message_queue send_message_interrupt    R0
  W    edit_message request_compaction              R0
  W    clear_context                                W
  W    finish_error                                 E0
  W    archive                                      XW
  E0   send_message_queue send_message_interrupt    R0
  E0   edit_message request_compaction              R0
  E0   clear_context                                W
  E0   archive                                      XE0
  E1   send_message_queue send_message_interrupt    R1
  E1   edit_message                                 R0
  E1   request_compaction                           R1
  E1   delete_queued_message                        E0/E1
  E1   promote_queued_message                       R0/R1
  E1   archive                                      XE1
  R0   record_generation_attempt record_retry_state commit_step edit_message  R0
  R0   enter_requires_action                        A0
  R0   interrupt                                    I0
  R0   send_message_queue                           R1
  R0   send_message_interrupt                       I1
  R0   finish_turn                                  W
  R0   finish_error                                 E0
  R1   record_generation_attempt record_retry_state commit_step send_message_queue  R1
  R1   enter_requires_action                        A1
  R1   interrupt send_message_interrupt promote_queued_message  I1
  R1   edit_message                                 R0
  R1   finish_error                                 E1
  R1   delete_queued_message                        R0/R1
  R1   finish_turn                                  R0/R1
  I0   send_message_queue send_message_interrupt    I1
  I0   edit_message                                 R0
  I0   finish_interruption                          W
  I1   send_message_queue send_message_interrupt promote_queued_message  I1
  I1   edit_message                                 R0
  I1   delete_queued_message                        I0/I1
  I1   finish_interruption                          R0/R1
  A0   complete_requires_action interrupt cancel_requires_action edit_message  R0
  A0   send_message_queue                           A1
  A0   send_message_interrupt                       R1
  A1   complete_requires_action interrupt cancel_requires_action send_message_interrupt  R1
  A1   send_message_queue                           A1
  A1   edit_message                                 R0
  A1   delete_queued_message                        A0/A1
  A1   promote_queued_message                       R0/R1
  XW   unarchive                                    W
  XE0  unarchive                                    E0
  XE1  unarchive                                    E1
  invalid reconcile_invalid_state                   E0/E1`;

test("the table says of every state, transition and target what the specification says", () => {
  const specified = new Set(
    SPECIFIED.trim()
      .split("\n")
      .flatMap((line) => {
        const [from = "", ...rest] = line.trim().split(/\s+/);
        const targets = rest.pop()?.split("/") ?? [];
        return rest.flatMap((name) => targets.map((to) => `${from} ${name} ${to}`));
      }),
  );
  let seen = 0;
  for (const from of EXECUTION_STATES) {
    for (const transition of TRANSITIONS) {
      const targets = EXECUTION_STATES.filter((to) => mayLeadTo(from, transition, to));
      const wanted = EXECUTION_STATES.filter((to) => specified.has(`${from} ${transition} ${to}`));
      assert.deepEqual(targets, wanted, `${transition} from ${from}`);
      assert.equal(isTransitionAllowed(from, transition), wanted.length > 0);
      seen += wanted.length;
    }
  }
  assert.equal(seen, specified.size, "the specification names known states and transitions");
});

test("a status, a queue and an archive are one of thirteen states or invalid", () => {
  const seen = new Map<string, string>();
  for (const status of [
    "waiting",
    "running",
    "interrupting",
    "requires_action",
    "error",
  ] as const) {
    for (const archived of [false, true]) {
      for (const queueLength of [0, 1, 20]) {
        const state = executionStateOf({ status, archived, queueLength });
        seen.set(`${status} ${archived ? "archived" : ""} ${queueLength}`, state);
      }
    }
  }
  assert.deepEqual(new Set(seen.values()), new Set(EXECUTION_STATES));
  assert.equal(seen.get("waiting  1"), "invalid");
  assert.equal(seen.get("waiting archived 1"), "invalid");
  assert.equal(seen.get("running archived 0"), "invalid");
  assert.equal([...seen.values()].filter((state) => state === "invalid").length, 2 + 2 + 9);
});
