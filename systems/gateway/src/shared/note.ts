/**
 * What was learned of something, and may be learned by several at once: the threads of one server. A
 * note's value changes only inside `change`, where nobody else changes it.
 */
export interface Note<Value> {
  /** As it is now. Not for changing. */
  read(): Value;
  /** `work` changes the latest value in place. It neither waits nor calls anybody. */
  change<Outcome>(work: (value: Value) => Outcome): Outcome;
  /** From now on it is as if nothing had been learned. */
  forget(): void;
}

export interface Notebook {
  /** Who writes, among those who share the notes. Counted from 0. */
  readonly member: number;
  /** `blank` is the value while nothing is noted. */
  note<Value extends object>(name: string, blank: () => Value): Note<Value>;
  /** Names with this beginning of which others may have noted something. */
  names(prefix: string): readonly string[];
}

/** One thread alone: each note is an object in its memory. */
export const OWN_NOTES: Notebook = {
  member: 0,
  note: (_, blank) => {
    let value = blank();
    return {
      read: () => value,
      change: (work) => work(value),
      forget: () => {
        value = blank();
      },
    };
  },
  names: () => [],
};
