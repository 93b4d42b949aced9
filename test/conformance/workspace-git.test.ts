/** Git, in the agent's own process and through a link. */
import { openGit } from "@atelier/workspace-agent/git/workspace-git-io";
import { test } from "node:test";
import { failsWith } from "./answers.ts";
import { testGit, type GitWorld } from "./workspace-git.ts";
import { hostDeps, openWorld, throughLink } from "./workspace-world.ts";

async function open(path = process.env["PATH"]): Promise<GitWorld> {
  const world = await openWorld();
  const environment = { PATH: path, GIT_CONFIG_NOSYSTEM: "1" };
  const { directory } = world;
  const git = openGit({ ...hostDeps, homeDirectory: directory, directory, environment });
  return { ...world, git };
}

testGit("in process", open);

testGit("through a link", async () => {
  const stack = new AsyncDisposableStack();
  const { git, directory } = stack.use(await open());
  const { service } = stack.use(await throughLink("git", git));
  return { git: service, directory, [Symbol.asyncDispose]: () => stack.disposeAsync() };
});

test("git: a machine without git does not support it", async () => {
  await using world = await open("/nonexistent");
  failsWith(await world.git.state({ path: "~" }), "unsupported", /no git/);
});
