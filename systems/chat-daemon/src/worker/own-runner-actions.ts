/** The tasks of a runner that need no model: to give up waiting for a client, and to let a chat go. */
import type { Clock } from "@atelier/base/clock";
import type { Sql } from "@atelier/database/database";
import { findActionDeadline } from "./runner-store.ts";
import type { RunnerTaskContext } from "./runner-tasks.ts";

/** Timers of hosts end before a deadline that is months away would. */
const SLEEP_MS_MAX = 60_000;

/** The model goes on with results that say that nobody answered (spec agents 6.10). */
export async function runDynamicToolsTimeout(
  context: RunnerTaskContext,
  { sql, clock }: { readonly sql: Sql; readonly clock: Clock },
): Promise<void> {
  const deadline = await findActionDeadline(sql, context.chatId);
  if (deadline === undefined) return;
  for (;;) {
    const leftMs = deadline.getTime() - clock.now().getTime();
    if (leftMs <= 0) break;
    await clock.sleep(Math.min(leftMs, SLEEP_MS_MAX), context.signal);
  }
  // Stale: answered at the last moment.
  await context.machine.changeFenced(context.chatId, context, (chat) =>
    chat.cancelRequiresAction("The tool call was cancelled: its client gave no result in time."),
  );
}

/** False: somebody has written meanwhile, and the runner goes on. */
export async function runAbandon(context: RunnerTaskContext): Promise<boolean> {
  return (await context.machine.abandonFenced(context.chatId, context)).ok;
}
