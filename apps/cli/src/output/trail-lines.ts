/** How a request was served: a line for each attempt, and for what the gateway did by itself. */
import {
  breakerWords,
  effectWords,
  isAnswered,
  keyWords,
  outcomeWords,
  passedWords,
  reasonWords,
  refusalWords,
  type Trail,
  type TrailAttempt,
} from "@atelier/contract/trail-words";
import type { Look } from "./people.ts";
import { terminalSafe } from "./terminal-safe.ts";

const SAY = {
  length: (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`),
  time: (isoTime: string): string => isoTime.replace(/\.\d+Z$/, "Z"),
};

export function trailLines(look: Look, trail: Trail): string[] {
  const { attempts, attempts_left_out: leftOut, refusal } = trail;
  const lines = attempts.map((attempt) => {
    const text = terminalSafe(attemptText(attempt));
    return isAnswered(attempt) ? text : look.colors.red(text);
  });
  if (leftOut > 0) lines.splice(-1, 0, `(${leftOut} more)`);
  const passed = passedWords(refusal?.passed_over ?? [], SAY);
  const refused = refusalWords(trail, SAY);
  const ours = [
    refused === null ? null : refused + (passed === null ? "" : ` (${passed})`),
    breakerWords(trail),
  ];
  const told = ours.flatMap((each) => (each === null ? [] : [terminalSafe(each)]));
  return [...lines, ...told].map((line) => `    ${line}`);
}

function attemptText(attempt: TrailAttempt): string {
  const passed = passedWords(attempt.passed_over, SAY);
  const why = reasonWords(attempt, SAY) + (passed === null ? "" : `: ${passed}`);
  const effect = effectWords(attempt, SAY);
  const repaired = attempt.repaired ? "; sent again without another provider's reasoning" : "";
  const did = outcomeWords(attempt, SAY) + (effect === null ? "" : `; ${effect}`) + repaired;
  return `key ${keyWords(attempt)} (${why}): ${did}`;
}
