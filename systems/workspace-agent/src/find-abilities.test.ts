import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import type { WorkspacePorts } from "@atelier/contract/rpc/workspace/ports";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { findAbilities } from "./find-abilities.ts";

const listing = (canList: boolean) =>
  ({
    list: async () =>
      canList ? ok({ ports: [] }) : fail({ code: "unsupported", message: "not here" }),
  }) as unknown as WorkspacePorts; // Nothing else of it is asked.

const git = (environment: Record<string, string | undefined>, homeDirectory = tmpdir()) => ({
  ...{ homeDirectory, environment, clock: systemClock },
});

const ALWAYS = ["files", "machine", "processes"];

test("a machine that can do everything says so", async (t) => {
  if (spawnSync("git", ["--version"]).status !== 0) return t.skip("this machine has no git");
  const found = await findAbilities({
    ...{ hasTerminals: true, ports: listing(true), git: git(process.env) },
  });
  assert.deepEqual(found, [
    ...["files", "git", "machine", "ports", "processes", "terminals", "watching"],
  ]);
});

test("what does not work here is not listed", async () => {
  const without = { hasTerminals: false, ports: listing(false) };
  const noGit = await findAbilities({ ...without, git: git({ PATH: "/nowhere" }) });
  assert.deepEqual(noGit, [...ALWAYS, "watching"]);
  const noHome = await findAbilities({ ...without, git: git({}, "/nowhere") });
  assert.deepEqual(noHome, ALWAYS);
});
