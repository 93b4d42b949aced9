/** How soon the first text can be there at all: the floor server, in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Database } from "@atelier/database/database";
import { WebSocket } from "ws";
import type { FloorTask } from "./floor-server.ts";

export type Floor = {
  /** Milliseconds from the request to the first text at its viewer. */
  firstText(): Promise<number>;
};

/** What has just started runs unoptimised. */
const WARM_UP = 1_000;

/** Ends with `resources`. */
export async function startFloor(
  { pool }: Pick<Database, "pool">,
  task: FloorTask,
  resources: AsyncDisposableStack,
): Promise<Floor> {
  await pool.query(
    "create table floor_rows (id bigint generated always as identity primary key, kind text, content jsonb)",
  );
  const child = spawn(
    process.execPath,
    [`${import.meta.dirname}/floor-server.ts`, JSON.stringify(task)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  resources.defer(async () => {
    child.kill();
    await exited;
  });
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const viewer = new WebSocket(url.replace(/^http/, "ws"), { perMessageDeflate: false });
  await once(viewer, "open");
  resources.defer(() => viewer.terminate());
  const firstText = async (): Promise<number> => {
    const startedMs = performance.now();
    const shown = new Promise<number>((resolve) => {
      viewer.once("message", () => resolve(performance.now()));
    });
    const answer = await fetch(`${url}/send`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ content: "And?" }),
    });
    await answer.text();
    return (await shown) - startedMs;
  };
  for (let i = 0; i < WARM_UP; i += 1) await firstText();
  return { firstText };
}
