/** What a chat changed in its workspace, as it is there now: spec agents 4.3. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { ChatParams } from "./chats.ts";
import { MACHINE_FAILURES } from "./workspace-files.ts";

export const CHAT_DIFF_BYTES_MAX = 4 * 1024 * 1024;

export const ChatDiffRepository = z.object({
  /** Its top directory. */
  root: z.string(),
  /** Stands before the paths of its files, such as `app/`; empty where there is one repository. */
  prefix: z.string(),
  /** Null on a detached head. */
  branch: z.string().nullable(),
  /** Without any name or password. */
  remote_origin: z.string().nullable(),
  additions: z.int(),
  deletions: z.int(),
  changed_files: z.int(),
  files: z.array(
    z.object({
      path: z.string(),
      additions: z.int(),
      deletions: z.int(),
      is_binary: z.boolean(),
    }),
  ),
});
export type ChatDiffRepository = z.infer<typeof ChatDiffRepository>;

export const getChatDiff = endpoint({
  tag: "chats",
  summary: "What a chat changed in the repositories of its workspace; for who may enter it",
  method: "GET",
  path: "/api/v2/chats/:chat/diff",
  aliases: ["/api/experimental/chats/:chat/diff"],
  // It is read on the machine now, where only its person is at home.
  access: "workspace:connect",
  params: ChatParams,
  query: z.strictObject({
    bytes_max: z.coerce
      .number()
      .int()
      .min(1)
      .max(CHAT_DIFF_BYTES_MAX)
      .default(1024 * 1024),
  }),
  body: null,
  success: {
    status: 200,
    body: z.object({
      chat_id: z.uuid(),
      /** Of the only repository. */
      branch: z.string().optional(),
      remote_origin: z.string().optional(),
      /** Unified, of all repositories one after another, cut after a whole line. Empty: nothing changed. */
      diff: z.string(),
      /** There is more than is shown, or than was counted. */
      is_cut: z.boolean(),
      repositories: z.array(ChatDiffRepository),
    }),
  },
  failures: [...MACHINE_FAILURES, "chat.workspace_missing"],
  audit: null,
});
