/** A short run; `npm run simulate -- agent-kills --runs 1000` is a long one. */
import { test } from "node:test";
import { simulate } from "./agent-kills.simulation.ts";

test("whenever an agent is killed, what it starts is started exactly once", async (t) => {
  await simulate({ seed: 1, runs: 20, report: (line) => t.diagnostic(line) });
});
