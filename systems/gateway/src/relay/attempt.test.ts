/** One attempt by itself: what it tells, and that it leaves no timer behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@atelier/base/clock";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { Attempt } from "./attempt-io.ts";

const JSON_HEAD = ["Content-Type", "application/json"];
const BEGIN_MS_MAX = 1_000;

function made() {
  const fake = new FakeClock();
  const signals: AbortSignal[] = [];
  const clock: Clock = {
    now: () => fake.now(),
    monotonicMs: () => fake.monotonicMs(),
    sleep: (delayMs, signal) => {
      signals.push(signal);
      return fake.sleep(delayMs, signal);
    },
  };
  const told: string[] = [];
  const tell = (what: string) => () => {
    told.push(what);
    return true;
  };
  const attempt = new Attempt({
    listener: { head: tell("head"), data: tell("data"), end: tell("end"), failed: tell("failed") },
    format: "messages",
    faults: { clock, beginMsMax: BEGIN_MS_MAX },
    judge: () => ({ kind: "keep" }),
    mayFailOver: () => true,
    onSetAside: ({ kind }) => told.push(`aside ${kind}`),
    onReleased: tell("released"),
    onCancelled: tell("cancelled"),
  });
  attempt.attach({ resume: tell("resume"), cancel: tell("upstream cancelled") });
  return { attempt, told, fake, isWaiting: () => signals.some((signal) => !signal.aborted) };
}

test("an answer that began is waited for no longer", () => {
  const { attempt, told, isWaiting } = made();
  attempt.head(200, JSON_HEAD);
  assert.ok(isWaiting(), "a head alone is no beginning");
  attempt.resume();
  attempt.data(Buffer.from("{"));
  assert.ok(!isWaiting());
  attempt.resume();
  attempt.end();
  attempt.cancel();
  assert.deepEqual(told, ["released", "head", "data", "resume", "end", "upstream cancelled"]);
});

test("a client that leaves before that ends the wait, and is told of once", async () => {
  const { attempt, told, fake, isWaiting } = made();
  attempt.head(200, JSON_HEAD);
  attempt.cancel();
  attempt.cancel();
  assert.ok(!isWaiting());
  await fake.advance(BEGIN_MS_MAX);
  assert.deepEqual(told, ["upstream cancelled", "cancelled", "upstream cancelled"]);
});

test("an answer that does not begin in time is set aside, and the exchange ended", async () => {
  const { attempt, told, fake, isWaiting } = made();
  attempt.head(200, JSON_HEAD);
  await fake.advance(BEGIN_MS_MAX);
  assert.deepEqual(told, ["upstream cancelled", "aside failed"]);
  assert.ok(!isWaiting());
  assert.equal(attempt.data(Buffer.from("{")), true, "what comes after is nobody's");
  assert.equal(told.length, 2);
});

test("a connection that fails is set aside at once", () => {
  const { attempt, told, isWaiting } = made();
  attempt.failed({ kind: "unreachable", cause: "ECONNREFUSED", detail: "" });
  assert.deepEqual([told, isWaiting()], [["aside failed"], false]);
});

const STREAM_HEAD = ["Content-Type", "text/event-stream"];
const OVERLOAD =
  'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":""}}';
const START = 'event: message_start\ndata: {"type":"message_start"}';

test("only a first event that is whole and says so is an overload, however its lines end", () => {
  const outcomeOf = (...pieces: string[]): readonly string[] => {
    const { attempt, told } = made();
    attempt.head(200, STREAM_HEAD);
    for (const piece of pieces) attempt.data(Buffer.from(piece));
    return told;
  };
  const aside = ["upstream cancelled", "aside overloaded"];
  const crlf = (text: string): string => text.replaceAll("\n", "\r\n");
  assert.deepEqual(outcomeOf(`${OVERLOAD}\n\n`), aside);
  assert.deepEqual(outcomeOf(crlf(`${OVERLOAD}\n\n`)), aside);
  assert.deepEqual(outcomeOf(crlf(`${OVERLOAD}\n\n`), `${START}\n\n`).slice(0, 2), aside);
  assert.deepEqual(outcomeOf(OVERLOAD.slice(0, 20), OVERLOAD.slice(20), "\n", "\n"), aside);
  assert.deepEqual(outcomeOf(OVERLOAD), []);
  assert.deepEqual(outcomeOf(crlf(`${START}\n\n`) + `${OVERLOAD}\n\n`), ["released", "head", "data"]); // prettier-ignore
  assert.deepEqual(outcomeOf(`${START}\n\n${crlf(`${OVERLOAD}\n\n`)}`), ["released", "head", "data"]); // prettier-ignore
});
