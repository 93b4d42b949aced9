/** What the rest of the control plane sees of a spool: a queue of texts on the local disk. */

/** How far a reader has come. */
export type SpoolPosition = { readonly segment: number; readonly offset: number };

export type SpoolBatch = {
  /** In the order in which they were appended; never empty. */
  readonly payloads: readonly string[];
  readonly end: SpoolPosition;
};

/** Reading again from the front gives the same until it is released. */
export interface SpoolReader {
  /** The oldest payloads that are not released, about `bytesMax` of them. Null: there are none. */
  read(bytesMax: number): Promise<SpoolBatch | null>;
  /** Forgets everything up to the batch's end: it is stored elsewhere. */
  release(batch: SpoolBatch): Promise<void>;
  /** Of its files. */
  readonly bytes: number;
}

export interface Spool extends SpoolReader {
  /**
   * Resolves when all payloads are on the disk. When it rejects, none of them is ever read by this
   * process. One call at a time.
   */
  append(payloads: readonly string[]): Promise<void>;
}
