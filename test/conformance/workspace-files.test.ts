/** Files, in the agent's own process and through a link. */
import { openFiles } from "@atelier/workspace-agent/files/workspace-files-io";
import { testFiles } from "./workspace-files.ts";
import { hostDeps, openWorld, throughLink } from "./workspace-world.ts";

async function open() {
  const world = await openWorld();
  const { directory, journal } = world;
  const files = await openFiles({ homeDirectory: directory, journal, ...hostDeps });
  return { ...world, files };
}

testFiles("in process", open);

testFiles("through a link", async () => {
  const stack = new AsyncDisposableStack();
  const { files, directory } = stack.use(await open());
  const { service } = stack.use(await throughLink("files", files));
  return { files: service, directory, [Symbol.asyncDispose]: () => stack.disposeAsync() };
});
