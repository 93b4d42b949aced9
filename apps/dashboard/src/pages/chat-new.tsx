/** A new chat: what is to be done, by which model, where. What is typed is kept until it is taken. */
import { systemRandom } from "@atelier/base/system-random";
import { CHAT_FILE_BYTES_MAX } from "@atelier/contract/http/chat-files";
import { createChat, listChats } from "@atelier/contract/http/chats";
import { listMcpServers } from "@atelier/contract/http/mcp-servers";
import { listWorkspaces } from "@atelier/contract/http/workspaces";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { keep, kept } from "../browser/host.ts";
import { sizeText } from "../chats/attachments/attachment-list.ts";
import {
  AttachmentStrip,
  DropArea,
  PickFilesButton,
} from "../chats/attachments/attachment-strip.tsx";
import { useAttachments } from "../chats/attachments/use-attachments.ts";
import { chatPath } from "../chats/chat-words.ts";
import { OWN_WORKSPACES } from "../chats/inbox/use-chat-names.ts";
import { chosenModel, effortFor, type ChatModels } from "../chats/model-choice/model-choice.ts";
import {
  lastModelChoice,
  ModelChoiceFields,
  NoModelNotice,
  rememberModelChoice,
  useChatModels,
} from "../chats/model-choice/model-choice-fields.tsx";
import {
  keyFor,
  NEW_CHAT,
  newChatBody,
  parseKeptKey,
  serverIdsOf,
  serverIdsText,
  workspaceChoices,
  type NewChatValues,
} from "../chats/new-chat/new-chat.ts";
import { ServerChecks } from "../chats/server-choice/server-checks.tsx";
import { serverChoices } from "../chats/server-choice/server-choice.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { FieldFrame, INPUT_LOOK } from "../forms/text-field.tsx";
import { useForm, type Form } from "../forms/use-form.ts";
import { SpendingNotice } from "../spending/spending-notice.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { STATUS_WORDS } from "../workspaces/workspace-words.ts";

const DRAFT = "new-chat";
const KEY = `draft.${DRAFT}.key`;
/** Where the last chat of this device worked: the next one likely does, too. */
const LAST_WORKSPACE = "chat-workspace";

export function Page() {
  const models = useChatModels();
  return (
    <>
      <PageHead
        about="An agent works on it on the server, also when this page is closed."
        title="New chat"
      />
      <SpendingNotice />
      <Loaded query={models} what="models">
        {(answer) => <NewChat models={answer} />}
      </Loaded>
    </>
  );
}

/** What a link may fill in. */
type NewChatSearch = { readonly prompt?: string; readonly workspace?: string };

function NewChat({ models }: { readonly models: ChatModels }) {
  const { prompt = "", workspace = "" }: NewChatSearch = useSearch({ strict: false });
  const { form, attachments } = useNewChat(models, { prompt, workspace });
  const { values } = form;
  const hasModel = chosenModel(models, values.model_config_id) !== undefined;
  const send = ({ key, ctrlKey, metaKey, currentTarget }: KeyboardEvent<HTMLElement>): void => {
    if (key !== "Enter" || !(ctrlKey || metaKey)) return;
    currentTarget.closest("form")?.requestSubmit();
  };
  return (
    <DropArea attachments={attachments}>
      <FormFrame
        form={form}
        others={<PickFilesButton attachments={attachments} />}
        send={attachments.isUploading ? "Start when the files are there" : "Start"}
        sending="Starting…"
      >
        {prompt !== "" && values.content === prompt && (
          <p className="rounded-md border border-line bg-warn-soft p-3">
            A link filled this in. Read it before you start: the agent does what it says.
          </p>
        )}
        <FieldFrame
          complaint={form.field("content").complaint}
          hint={`Ctrl Enter starts (⌘ Enter on a Mac). Files can be pasted or dropped here: pictures, PDF and text, up to ${sizeText(CHAT_FILE_BYTES_MAX)} each.`}
          label="What is to be done?"
        >
          {(attributes) => (
            <textarea
              {...attributes}
              // The page's one purpose.
              // oxlint-disable-next-line jsx-a11y/no-autofocus
              autoFocus
              className={`${INPUT_LOOK} field-sizing-content max-h-96 min-h-32 py-2`}
              name="content"
              onChange={(event) => form.set("content", event.currentTarget.value)}
              onKeyDown={send}
              onPaste={attachments.onPaste}
              value={values.content}
            />
          )}
        </FieldFrame>
        <AttachmentStrip attachments={attachments} />
        {hasModel ? <Options form={form} models={models} /> : <NoModelNotice models={models} />}
      </FormFrame>
    </DropArea>
  );
}

function useNewChat(models: ChatModels, { prompt, workspace }: Required<NewChatSearch>) {
  const attachments = useAttachments(DRAFT);
  const create = useChange(createChat, [listChats]);
  const navigate = useNavigate();
  const [initial] = useState(() => ({
    ...NEW_CHAT,
    content: prompt,
    model_config_id: lastModelChoice().modelConfigId,
    workspace_id: workspace === "" ? (kept("device", LAST_WORKSPACE) ?? "") : workspace,
  }));
  const form = useForm<NewChatValues>({
    initial,
    draft: DRAFT,
    submit: async (values) => {
      const model = chosenModel(models, values.model_config_id);
      if (model === undefined) return { ok: false, failure: refusal("Choose a model first.") };
      if (attachments.isUploading) {
        return { ok: false, failure: refusal("The files are still on their way.") };
      }
      const choice = { modelConfigId: model.id, effort: effortFor(model, values.reasoning_effort) };
      const body = newChatBody(values, choice, attachments.parts);
      if (body.content.length === 0) {
        return { ok: false, failure: refusal("Say what is to be done.", "content") };
      }
      const wrong = problemOfBody(createChat, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const held = keyFor(body, parseKeptKey(kept("tab", KEY)), () => systemRandom.uuid());
      keep("tab", KEY, JSON.stringify(held));
      const outcome = await create({ body: { ...body, idempotency_key: held.key } });
      if (!outcome.ok) return outcome;
      keep("tab", KEY, null);
      rememberModelChoice(choice);
      keep("device", LAST_WORKSPACE, values.workspace_id === "" ? null : values.workspace_id);
      attachments.clear();
      await navigate({ to: chatPath(outcome.value.id) });
      return outcome;
    },
  });
  // What a link names goes before what a draft held.
  const { set } = form;
  const setOnce = useRef(set);
  useEffect(() => {
    if (workspace !== "") setOnce.current("workspace_id", workspace);
  }, [workspace]);
  return { form, attachments };
}

/** What this page refuses by itself, as the server would. */
function refusal(detail: string, field = "model_config_id") {
  return {
    status: 400,
    code: "request.invalid" as const,
    message: detail,
    detail: null,
    validations: field === "content" ? [{ field, detail }] : [],
    requestId: null,
    retryAfterSeconds: null,
  };
}

type OptionsProps = { readonly form: Form<NewChatValues>; readonly models: ChatModels };

function Options({ form, models }: OptionsProps) {
  const { values, set } = form;
  const chosen = chosenModel(models, values.model_config_id);
  return (
    <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
      <ModelChoiceFields
        models={models}
        onChange={({ modelConfigId, effort }) => {
          set("model_config_id", modelConfigId);
          set("reasoning_effort", effort);
        }}
        value={{
          modelConfigId: values.model_config_id,
          effort: chosen === undefined ? "" : effortFor(chosen, values.reasoning_effort),
        }}
      />
      <WorkspaceField form={form} />
      <PlanField form={form} />
      <ServerFields form={form} />
    </div>
  );
}

function WorkspaceField({ form }: { readonly form: Form<NewChatValues> }) {
  const { data } = useEndpoint(listWorkspaces, OWN_WORKSPACES);
  const workspaces = data?.workspaces ?? [];
  const chosen = workspaces.find(({ id }) => id === form.values.workspace_id);
  const isGone = data !== undefined && form.values.workspace_id !== "" && chosen === undefined;
  useEffect(() => {
    if (isGone) form.set("workspace_id", "");
  }, [isGone, form]);
  const isAway = chosen !== undefined && chosen.status !== "connected";
  return (
    <ChoiceField
      choices={[
        { value: "", label: "None" },
        ...workspaceChoices(workspaces, (status) => STATUS_WORDS[status].words),
      ]}
      complaint={form.field("workspace_id").complaint}
      hint={
        isAway ? (
          "It is not connected: the agent can use it once it is."
        ) : (
          <>
            Where it reads, writes and runs.{" "}
            <Link className="text-accent underline underline-offset-2" to="/workspaces">
              Attach a machine
            </Link>
          </>
        )
      }
      label="Workspace"
      name="workspace"
      onChange={(value) => form.set("workspace_id", value)}
      value={chosen?.id ?? ""}
    />
  );
}

function PlanField({ form }: { readonly form: Form<NewChatValues> }) {
  return (
    <label className="flex items-start gap-2.5 self-start sm:mt-6">
      <input
        checked={form.values.plan_mode === "plan"}
        className="mt-0.5 size-4"
        onChange={(event) => form.set("plan_mode", event.currentTarget.checked ? "plan" : "")}
        type="checkbox"
      />
      <span>
        <span className="font-medium">Plan first</span>
        <span className="block text-xs text-muted">
          It changes nothing until you have approved its plan.
        </span>
      </span>
    </label>
  );
}

/** Nothing where there are none. */
function ServerFields({ form }: { readonly form: Form<NewChatValues> }) {
  const { data } = useEndpoint(listMcpServers, {});
  const choices = serverChoices(data?.servers ?? [], serverIdsOf(form.values.mcp_server_ids));
  if (choices.length === 0) return null;
  return (
    <fieldset className="sm:col-span-2 lg:col-span-3">
      <legend className="mb-1 font-medium">Tools of other servers</legend>
      <div className="flex flex-wrap gap-x-5 gap-y-2">
        <ServerChecks
          choices={choices}
          onChange={(ids) => form.set("mcp_server_ids", serverIdsText(ids))}
        />
      </div>
    </fieldset>
  );
}
