/** Where a run of lines stands in others. Linear, also for texts made to be slow. */

/** Every start, overlapping ones included, where `run` stands in `all`. `run` is not empty. */
export function findRuns(all: readonly string[], run: readonly string[]): number[] {
  const fallback = fallbacksOf(run);
  const found: number[] = [];
  let matched = 0;
  for (const [i, each] of all.entries()) {
    while (matched > 0 && each !== run[matched]) matched = fallback[matched - 1] ?? 0;
    if (each === run[matched]) matched += 1;
    if (matched === run.length) {
      found.push(i - run.length + 1);
      matched = fallback[matched - 1] ?? 0;
    }
  }
  return found;
}

/** For each prefix: the length of its longest proper end that is also its start. */
function fallbacksOf(run: readonly string[]): number[] {
  const fallback = [0];
  let matched = 0;
  for (const each of run.slice(1)) {
    while (matched > 0 && each !== run[matched]) matched = fallback[matched - 1] ?? 0;
    if (each === run[matched]) matched += 1;
    fallback.push(matched);
  }
  return fallback;
}
