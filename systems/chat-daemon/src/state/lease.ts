/** How long a runner that is not heard of keeps its chat. */

/**
 * From the last beat, by the database's clock. With a look for chats every second, one of a server that
 * died is taken within 10 seconds (field lessons 7, N1). Two beats may be missed.
 */
export const LEASE_MS = 9_000;
export const HEARTBEAT_MS = 3_000;

/** Of a runner on a chat. */
export type Lease = { readonly chatId: string; readonly runnerId: string };
