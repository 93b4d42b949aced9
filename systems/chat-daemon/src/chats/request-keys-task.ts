/** Forgets the answers of repeated requests, a day after they were given. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import { deleteAnswersBefore } from "./request-key-store.ts";

const KEPT_MS = 86_400_000;
const EVERY_MS = 3_600_000;

export async function forgetAnswers(
  deps: { readonly database: Database; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { database, clock, log } = deps;
  for (;;) {
    await clock.sleep(EVERY_MS, signal);
    try {
      await deleteAnswersBefore(database.sql, new Date(clock.now().getTime() - KEPT_MS));
    } catch (error) {
      log.warn({ error }, "old answers of repeated requests stay for now");
    }
  }
}
