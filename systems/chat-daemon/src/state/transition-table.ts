/**
 * Which transition leads where: the table of spec agents 2.4 as data. What it does not list is refused.
 *
 * Several targets: the smaller number where the queue has become empty, the larger where it has not.
 */
import type { ExecutionState, TransitionName } from "./execution-state.ts";

type Targets = Partial<Record<ExecutionState, readonly ExecutionState[]>>;

export const TRANSITION_TABLE: Readonly<Record<TransitionName, Targets>> = {
  send_message_queue: {
    W: ["R0"],
    E0: ["R0"],
    E1: ["R1"],
    R0: ["R1"],
    R1: ["R1"],
    I0: ["I1"],
    I1: ["I1"],
    A0: ["A1"],
    A1: ["A1"],
  },
  send_message_interrupt: {
    W: ["R0"],
    E0: ["R0"],
    E1: ["R1"],
    R0: ["I1"],
    R1: ["I1"],
    I0: ["I1"],
    I1: ["I1"],
    A0: ["R1"],
    A1: ["R1"],
  },
  edit_message: {
    W: ["R0"],
    E0: ["R0"],
    E1: ["R0"],
    R0: ["R0"],
    R1: ["R0"],
    I0: ["R0"],
    I1: ["R0"],
    A0: ["R0"],
    A1: ["R0"],
  },
  delete_queued_message: {
    E1: ["E0", "E1"],
    R1: ["R0", "R1"],
    I1: ["I0", "I1"],
    A1: ["A0", "A1"],
  },
  promote_queued_message: { E1: ["R0", "R1"], R1: ["I1"], I1: ["I1"], A1: ["R0", "R1"] },
  interrupt: { R0: ["I0"], R1: ["I1"], A0: ["R0"], A1: ["R1"] },
  complete_requires_action: { A0: ["R0"], A1: ["R1"] },
  archive: { W: ["XW"], E0: ["XE0"], E1: ["XE1"] },
  unarchive: { XW: ["W"], XE0: ["E0"], XE1: ["E1"] },
  request_compaction: { W: ["R0"], E0: ["R0"], E1: ["R1"] },
  clear_context: { W: ["W"], E0: ["W"] },
  reconcile_invalid_state: { invalid: ["E0", "E1"] },
  commit_step: { R0: ["R0"], R1: ["R1"] },
  enter_requires_action: { R0: ["A0"], R1: ["A1"] },
  finish_interruption: { I0: ["W"], I1: ["R0", "R1"] },
  record_generation_attempt: { R0: ["R0"], R1: ["R1"] },
  record_retry_state: { R0: ["R0"], R1: ["R1"] },
  finish_turn: { R0: ["W"], R1: ["R0", "R1"] },
  finish_error: { W: ["E0"], R0: ["E0"], R1: ["E1"] },
  cancel_requires_action: { A0: ["R0"], A1: ["R1"] },
};

export function isTransitionAllowed(from: ExecutionState, transition: TransitionName): boolean {
  return TRANSITION_TABLE[transition][from] !== undefined;
}

export function mayLeadTo(
  from: ExecutionState,
  transition: TransitionName,
  to: ExecutionState,
): boolean {
  return TRANSITION_TABLE[transition][from]?.includes(to) === true;
}
