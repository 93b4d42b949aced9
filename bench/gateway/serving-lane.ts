/** Starts a lane and waits until it answers. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { LaneDeps, LaneKind, RunningLane } from "./lane.ts";
import type { Target } from "./load-driver.ts";
import { modelOf } from "./mock-answer.ts";

const SERVING_MS_MAX = 90_000;
const SERVING_POLL_MS = 5;

export async function startServing(
  kind: LaneKind,
  deps: LaneDeps,
  signal: AbortSignal,
): Promise<RunningLane> {
  const lane = await kind.start(deps);
  try {
    await untilServing(lane, signal);
    return lane;
  } catch (error) {
    await lane[Symbol.asyncDispose]();
    throw error;
  }
}

/** Resolves with the first answer that is one. */
export async function untilServing(lane: RunningLane, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + SERVING_MS_MAX;
  for (;;) {
    const seen = await askOnce(lane.target);
    if (seen === "200") return;
    const isOver = lane.hasEnded?.() === true || performance.now() > deadlineMs;
    if (isOver) throw new Error(`it does not serve (${seen}): ${lane.said?.() ?? ""}`);
    await sleep(SERVING_POLL_MS, undefined, { signal });
  }
}

/** The answer's status, or why there is none. */
function askOnce({ port, path, token, headers }: Target): Promise<string> {
  const body = JSON.stringify({ model: modelOf({}), messages: [{ role: "user", content: "hi" }] });
  return new Promise((resolve) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      path,
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": body.length,
        ...Object.fromEntries(headers.map((line) => line.split(": ", 2))),
      },
    });
    asked.on("response", (answer) => {
      answer.resume();
      answer.on("close", () => resolve(String(answer.statusCode)));
    });
    asked.on("error", (error) => resolve(error.message));
    asked.end(body);
  });
}
