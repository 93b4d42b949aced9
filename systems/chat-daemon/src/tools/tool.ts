/**
 * A tool that models can call: its name, what it takes, and what runs. Expected failures are results that
 * the model reads; what throws is a bug, and the model is told that the tool failed.
 */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import type { Result } from "@atelier/base/result";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { Effect } from "@atelier/contract/rpc/workspace/effect";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import type { JSONSchema7 } from "@ai-sdk/provider";
import { z } from "zod";
import type { ChatKind } from "./tool-availability.ts";

/** The chat as its tools see it. */
export type ToolChat = {
  readonly id: string;
  readonly ownerId: string;
  readonly organizationId: string;
  readonly workspaceId: string | null;
  readonly parentChatId: string | null;
  readonly rootChatId: string | null;
  readonly mode: "computer_use" | "explore" | null;
  readonly planMode: "plan" | null;
  readonly lastModelConfigId: string;
  /** Grows with every change of who runs the chat. */
  readonly fence: number;
};

export type ToolOutcome =
  | { readonly kind: "json"; readonly value: unknown; readonly files?: readonly MessagePart[] }
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "media";
      readonly mediaType: string;
      /** Base64. */
      readonly data: string;
      readonly text?: string;
      readonly files?: readonly MessagePart[];
    }
  | { readonly kind: "error"; readonly message: string }
  /** Somebody else runs the chat by now: nothing of this batch counts. */
  | { readonly kind: "stale" };

/** A workspace's machine that is there now. */
export type ToolWorkspace = {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly services: WorkspaceServices;
};

export type ToolContext = {
  readonly chat: ToolChat;
  /** As the model's provider named the call. */
  readonly toolCallId: string;
  /** Unique among the calls of the chat, also where a provider uses an id twice. */
  readonly callId: string;
  /** Stamp of this call: workspaces do it once, however often they are asked. */
  readonly effect: Effect;
  /** The chat's workspace; else what the model is told. Reached when it is first asked for. */
  workspace(): Promise<Result<ToolWorkspace, string>>;
  /** Shows parts of the result while the tool runs. */
  publish(part: MessagePart): void;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
};

export type ChatTool = {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType;
  /** What the model is told of `input`. */
  readonly inputSchema: JSONSchema7;
  /** Nothing else may be called beside it. */
  readonly isExclusive?: boolean;
  /** Of chats that may call it. Absent: by the table of tools that come with the server. */
  readonly kinds?: ReadonlySet<ChatKind>;
  /** `input` is parsed. */
  run(input: unknown, context: ToolContext): Promise<ToolOutcome>;
  /** The user stopped the turn while this call was running. Best effort. */
  cancel?(context: ToolContext): Promise<void>;
};

/** A tool whose input has a type, as a registry keeps it. */
export function defineTool<Input extends z.ZodType>(tool: {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  /** What the model is told, where `input` takes more than models should write. */
  readonly shownInput?: z.ZodType;
  readonly isExclusive?: boolean;
  readonly run: (input: z.output<Input>, context: ToolContext) => Promise<ToolOutcome>;
  readonly cancel?: (context: ToolContext) => Promise<void>;
}): ChatTool {
  // Runners parse with `input` before they call.
  const { $schema: _schema, ...schema } = z.toJSONSchema(tool.shownInput ?? tool.input, {
    ...{ io: "input", target: "draft-7" },
  });
  const inputSchema = schema as JSONSchema7; // zod writes the same standard under its own type.
  return {
    ...tool,
    inputSchema,
    run: (input, context) => tool.run(input as z.output<Input>, context),
  };
}

export function toolError(message: string): ToolOutcome {
  return { kind: "error", message };
}

export function toolValue(value: unknown): ToolOutcome {
  return { kind: "json", value };
}
