/** What settings of chats are read and decided with. */
import type { Clock } from "@atelier/base/clock";
import type { Database } from "@atelier/database/database";

export type ChatSettingDeps = {
  readonly database: Database;
  readonly clock: Clock;
  /** What holds where administrators did not decide. Null: for ever, never. */
  readonly options: {
    readonly retentionMs: number | null;
    readonly autoArchiveMs: number | null;
    /** The model calls of all chats are recorded. */
    readonly isDebugForced: boolean;
  };
};
