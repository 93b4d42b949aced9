/**
 * Being the first process of a container. Nobody else collects the processes whose parents ended, and
 * Node collects only its own children: so a shell takes the first place, which collects all, and runs
 * this program below it.
 */

/** Passes TERM, INT and HUP on, collects what ends, and ends as the agent does. */
const INIT = `
trap 'kill -TERM $agent 2>/dev/null' TERM
trap 'kill -INT $agent 2>/dev/null' INT
trap 'kill -HUP $agent 2>/dev/null' HUP
"$@" &
agent=$!
while :; do
  wait $agent
  code=$?
  kill -0 $agent 2>/dev/null || exit $code
done
`;

/** Does nothing in any other place. Else this process becomes the shell and never returns. */
export function initializeAsFirst(environment: NodeJS.ProcessEnv): void {
  if (process.pid !== 1) return;
  const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.("/bin/sh", ["sh", "-c", INIT, "sh", ...words], environment);
}
