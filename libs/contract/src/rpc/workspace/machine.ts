/** What a workspace's machine is and how it does, and the files that tell a model how to work there. */
import { z } from "zod";
import { operations, type ServiceOf } from "./operation.ts";

export const MachineInfo = z.object({
  hostname: z.string(),
  os: z.string(),
  arch: z.string(),
  kernel: z.string(),
  user: z.string(),
  home: z.string(),
  /** Where processes start unless they say otherwise. */
  directory: z.string(),
  shell: z.string(),
  agentVersion: z.string(),
  agentStartedAt: z.iso.datetime(),
  /** What works on this machine now: names of services, such as `terminals`, and `watching`. */
  abilities: z.array(z.string()),
});
export type MachineInfo = z.infer<typeof MachineInfo>;

export const MachineStats = z.object({
  at: z.iso.datetime(),
  /** Cores in use, such as 1.5; of a container, its own. */
  cpuCoresUsed: z.number(),
  cpuCores: z.number(),
  memoryBytesUsed: z.number(),
  /** The container's limit where it has one. */
  memoryBytes: z.number(),
  /** Of the disk that holds the home directory. */
  diskBytesUsed: z.number(),
  diskBytes: z.number(),
  load1: z.number(),
});
export type MachineStats = z.infer<typeof MachineStats>;

/** Of one file; longer ones are cut. */
export const CONTEXT_FILE_BYTES_MAX = 64 * 1024;
/** Of all files of one answer; those after it come without content, as cut. */
export const CONTEXT_BYTES_MAX = 512 * 1024;
export const CONTEXT_FILES_MAX = 256;

export const ContextFile = z.object({
  kind: z.enum(["instructions", "skill"]),
  path: z.string(),
  /** Of a skill: its name and what it is for. Empty for instructions. */
  name: z.string(),
  description: z.string(),
  content: z.string(),
  /** The file was longer than the limits allow. */
  isCut: z.boolean(),
});
export type ContextFile = z.infer<typeof ContextFile>;

export const MACHINE_OPERATIONS = operations({
  info: { kind: "call", input: z.object({}), output: MachineInfo },
  stats: { kind: "call", input: z.object({}), output: MachineStats },
  watchStats: {
    kind: "events",
    input: z.object({ intervalMs: z.number().int().min(250).max(60_000).default(2_000) }),
    output: MachineStats,
  },
  /**
   * AGENTS.md and CLAUDE.md of the directory, of those above it up to the repository's top, and of the
   * home directory; and skills (`SKILL.md` in `.agents/skills/*`, `.claude/skills/*`) with their front matter.
   * Instructions from the most general to the nearest; of skills with one name only the nearest. What
   * a symlink takes from outside the repository, or the home directory, is left out.
   */
  contextFiles: {
    kind: "call",
    input: z.object({ directory: z.string().default("") }),
    output: z.object({ files: z.array(ContextFile) }),
  },
});

export type WorkspaceMachine = ServiceOf<typeof MACHINE_OPERATIONS>;
