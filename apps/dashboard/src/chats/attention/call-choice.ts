/** What the person wants to be called for on this device. */
import { keep, kept } from "../../browser/host.ts";
import { CALL_CHOICES, type CallChoice } from "./call-outs.ts";

const KEPT = "call-out";

export function chosenCalls(): CallChoice {
  return CALL_CHOICES.find((choice) => choice === kept("device", KEPT)) ?? "none";
}

export function chooseCalls(choice: CallChoice): void {
  keep("device", KEPT, choice === "none" ? null : choice);
}
