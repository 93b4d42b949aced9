/** Containers of each kind, as their files say it, and machines without. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readUsage } from "./read-usage-io.ts";

const MEMINFO = "MemTotal:       16000000 kB\nMemFree:  1 kB\nMemAvailable:   12000000 kB\n";
const GIB = 1024 ** 3;

for (const { name, files, expected } of [
  {
    name: "a container with limits, version 2",
    files: {
      "proc/self/cgroup": "0::/\n",
      "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
      "sys/fs/cgroup/memory.max": `${2 * GIB}\n`,
      "sys/fs/cgroup/memory.current": `${GIB}\n`,
      "sys/fs/cgroup/memory.stat": `anon 1\ninactive_file ${GIB / 4}\n`,
      "sys/fs/cgroup/cpu.max": "50000 100000\n",
      "sys/fs/cgroup/cpu.stat": "usage_usec 5000000\nuser_usec 1\n",
    },
    expected: { cpuMs: 5_000, cpuCores: 0.5, memoryBytesUsed: 0.75 * GIB, memoryBytes: 2 * GIB },
  },
  {
    name: "a container without limits, version 2",
    files: {
      "proc/self/cgroup": "0::/\n",
      "sys/fs/cgroup/cgroup.controllers": "",
      "sys/fs/cgroup/memory.max": "max\n",
      "sys/fs/cgroup/memory.current": `${GIB}\n`,
      "sys/fs/cgroup/cpu.max": "max 100000\n",
      "sys/fs/cgroup/cpu.stat": "usage_usec 7000\n",
    },
    expected: {
      cpuMs: 7,
      cpuCores: availableParallelism(),
      memoryBytesUsed: GIB,
      memoryBytes: 16_000_000 * 1024,
    },
  },
  {
    name: "a service on a machine, whose slice has the limit",
    files: {
      "proc/self/cgroup": "0::/some.slice/agent.service\n",
      "sys/fs/cgroup/cgroup.controllers": "",
      "sys/fs/cgroup/some.slice/agent.service/memory.max": "max\n",
      "sys/fs/cgroup/some.slice/agent.service/memory.current": "5\n",
      "sys/fs/cgroup/some.slice/memory.max": `${GIB}\n`,
      "sys/fs/cgroup/some.slice/memory.current": `${GIB / 2}\n`,
      "sys/fs/cgroup/some.slice/cpu.max": "25000 100000\n",
      "sys/fs/cgroup/some.slice/cpu.stat": "usage_usec 3000\n",
    },
    expected: { cpuMs: 3, cpuCores: 0.25, memoryBytesUsed: GIB / 2, memoryBytes: GIB },
  },
  {
    name: "a container with limits, version 1",
    files: {
      "proc/self/cgroup": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": `${GIB}\n`,
      "sys/fs/cgroup/memory/memory.usage_in_bytes": `${GIB / 2}\n`,
      "sys/fs/cgroup/memory/memory.stat": `total_inactive_file ${GIB / 4}\n`,
      "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/cpuacct/cpuacct.usage": "9000000000\n",
    },
    expected: { cpuMs: 9_000, cpuCores: 0.5, memoryBytesUsed: GIB / 4, memoryBytes: GIB },
  },
]) {
  test(`usage of ${name}`, async () => {
    const root = await mkdtemp(join(tmpdir(), "atelier-usage-"));
    for (const [path, text] of Object.entries({ ...files, "proc/meminfo": MEMINFO })) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    assert.deepEqual(await readUsage(root), expected);
    await rm(root, { recursive: true });
  });
}

test("usage of a machine without containers is the machine's", async () => {
  const root = await mkdtemp(join(tmpdir(), "atelier-usage-"));
  await mkdir(join(root, "proc/self"), { recursive: true });
  await writeFile(join(root, "proc/self/cgroup"), "4:memory:/\n2:cpu,cpuacct:/\n");
  await writeFile(join(root, "proc/meminfo"), MEMINFO);
  const { cpuMs, ...usage } = await readUsage(root);
  assert.deepEqual(usage, {
    cpuCores: availableParallelism(),
    memoryBytesUsed: 4_000_000 * 1024,
    memoryBytes: 16_000_000 * 1024,
  });
  assert.ok(cpuMs > 0);
  await rm(root, { recursive: true });
});
