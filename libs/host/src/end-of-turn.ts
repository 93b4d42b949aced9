/**
 * What is to be done once for all that one turn of the event loop brings, such as writing to sockets: done
 * together, at its end. A process that is woken by the first of several writes is awake for the others, and what
 * one turn says to one peer goes out as one.
 */

export interface TurnEnd {
  endTurn(): void;
}

let waiting: TurnEnd[] = [];

/** Each call runs once. What they ask for in turn is done in the next turn. */
export function atEndOfTurn(work: TurnEnd): void {
  waiting.push(work);
  if (waiting.length === 1) setImmediate(run);
}

/** Whether nobody else waits in this turn: what it would do at the end of it, it may as well do at once. */
export function waitsAlone(work: TurnEnd): boolean {
  return waiting.length === 1 && waiting[0] === work;
}

function run(): void {
  const due = waiting;
  waiting = [];
  for (let i = 0; i < due.length; i += 1) {
    try {
      due[i]?.endTurn();
    } catch (error) {
      // It is thrown where everybody sees it, and the others are served all the same.
      waiting = [...due.slice(i + 1), ...waiting];
      if (waiting.length > 0) setImmediate(run);
      throw error;
    }
  }
}
