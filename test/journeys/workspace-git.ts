/** Repositories on a machine of the journeys. */
import { execFileSync } from "node:child_process";

/** Throws where git fails. */
export function git(directory: string, ...words: readonly string[]): void {
  const as = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"];
  execFileSync("git", [...as, ...words], { cwd: directory, stdio: "ignore" });
}

/** All that is there, in the first commit of the branch `main`. */
export function commitFirst(directory: string): void {
  git(directory, "init", "-q", "-b", "main");
  git(directory, "add", ".");
  git(directory, "commit", "-q", "-m", "first");
}
