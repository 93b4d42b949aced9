/** How long a runner that is not heard of keeps its chat (design 5). */

/** Three beats may be missed. */
export const LEASE_MS = 10_000;
export const HEARTBEAT_MS = 3_000;

/** Of a runner on a chat. */
export type Lease = { readonly chatId: string; readonly runnerId: string };
