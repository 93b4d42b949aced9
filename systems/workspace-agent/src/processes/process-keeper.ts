/**
 * The keeper: a few lines of shell between the agent and a command, which outlive the agent.
 *
 * It leads the session; claims the start, so that of two keepers over one directory exactly one
 * runs the command; writes down who it and the command are; and how the command ended. Only
 * builtins of every POSIX shell, so that a broken PATH or a full process table cannot stop it
 * half-way, and each fact is one small write.
 *
 * Its own stderr is closed: shells report there what ended by a signal. The command's is 3.
 */

/** Exit status of a keeper that found the start claimed by another. */
export const KEEPER_LOST_CLAIM = 75;

/** How a keeper's arguments begin, in the sense of `sh -c`. The directory and the command follow. */
export function keeperArguments(procDirectory: string): readonly string[] {
  return ["-c", SCRIPT.replaceAll("/proc", procDirectory), "atelier-process"];
}

/*
 * `set -C`: `>` makes a file or fails, in one step. The traps let the keeper outlive a signal to the
 * tree; in the command they are the defaults again. `exec` reports a missing program to 3. Without
 * /proc, `ps` says the same; there `$$` in the inner shell is the keeper, and the child that asks
 * for its parent is the command.
 */
const SCRIPT = `set -C
trap : HUP INT QUIT TERM USR1 USR2
if [ -r /proc/$$/stat ]; then read -r atelier_row </proc/$$/stat
else atelier_row=$(LC_ALL=C /bin/ps -o pid= -o ppid= -o pgid= -o stat= -o lstart= -p $$)
fi
echo "$atelier_row" >"$1/run/keeper" || exit ${KEEPER_LOST_CLAIM}
(
  if [ -r /proc/$$/stat ]; then read -r atelier_row </proc/self/stat
  else
    atelier_row=$(exec /bin/sh -c 'echo $PPID')
    atelier_row=$(LC_ALL=C /bin/ps -o pid= -o ppid= -o pgid= -o stat= -o lstart= -p "$atelier_row")
  fi
  echo "$atelier_row" >"$1/run/command"
  unset atelier_row
  shift
  exec "$@" 2>&3 3>&-
)
atelier_row=$?
echo "$atelier_row" >"$1/run/exit"
exit "$atelier_row"
`;
