/** The form of a tool server: where it is, how it is signed in to, who has it, and which of its tools. */
import type { Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import {
  MCP_AUTH_TYPES,
  MCP_AVAILABILITIES,
  MCP_TRANSPORTS,
} from "@atelier/contract/http/mcp-servers";
import type { ReactNode } from "react";
import { CheckField } from "../forms/check-field.tsx";
import { ChoiceField } from "../forms/choice-field.tsx";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextAreaField } from "../forms/text-area-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm, type Form } from "../forms/use-form.ts";
import { Panel } from "../ui/panel.tsx";
import {
  AUTH_WORDS,
  AVAILABILITY_WORDS,
  KEPT_AUTH,
  serverBody,
  TOOL_SERVER_SECRETS,
  TRANSPORT_WORDS,
  type ToolServerTexts,
  type ToolServerView,
} from "./server-values.ts";

type ServerForm = Form<ToolServerTexts>;

type ToolServerFormProps = {
  readonly initial: ToolServerTexts;
  /** Absent: it is being made. */
  readonly existing?: ToolServerView;
  readonly draft?: string;
  readonly send: { readonly verb: string; readonly doing: string };
  readonly others?: ReactNode;
  readonly submit: (
    body: Readonly<Record<string, unknown>>,
    form: Pick<ServerForm, "set">,
  ) => Promise<Result<unknown, ApiProblem>>;
};

export function ToolServerForm(props: ToolServerFormProps) {
  const { initial, existing, draft, send, others, submit } = props;
  const form: ServerForm = useForm<ToolServerTexts>({
    initial,
    ...(draft === undefined ? {} : { draft }),
    secrets: TOOL_SERVER_SECRETS,
    submit: async (texts) => {
      const body = serverBody(texts);
      return body.ok ? submit(body.value, form) : body;
    },
  });
  return (
    <FormFrame form={form} others={others} send={send.verb} sending={send.doing}>
      <Panel title="Server">
        <div className="grid max-w-2xl items-start gap-4 sm:grid-cols-2">
          <TextField
            {...form.field("slug")}
            hint="Its tools are named by it: wiki__search. 1 to 32 small letters, digits and hyphens."
            isMono
            label="Short name"
          />
          <TextField {...form.field("display_name")} isOptional label="Display name" />
          <div className="sm:col-span-2">
            <TextField
              {...form.field("url")}
              hint="It speaks the Model Context Protocol over HTTP. It is sent what models write, and models read what it answers: trust who runs it."
              isMono
              label="URL"
              placeholder="https://wiki.example.com/mcp"
              type="url"
            />
          </div>
          <ChoiceField
            {...form.field("transport")}
            choices={MCP_TRANSPORTS.map((value) => ({
              value,
              label: capitalised(TRANSPORT_WORDS[value]),
            }))}
            hint="The older one only where a server says so."
            label="Transport"
          />
          <div className="sm:col-span-2">
            <TextField
              {...form.field("description")}
              hint="For people who choose it for a chat."
              isOptional
              label="Description"
            />
          </div>
        </div>
      </Panel>
      <Panel about="Sent with each call. Sealed, and never shown again." title="Signing in">
        <div className="max-w-2xl space-y-4">
          <AuthFields existing={existing} form={form} />
        </div>
      </Panel>
      <UsePanels form={form} />
    </FormFrame>
  );
}

function UsePanels({ form }: { readonly form: ServerForm }) {
  return (
    <>
      <Panel title="Who has it">
        <div className="max-w-2xl space-y-3">
          <ChoiceField
            {...form.field("availability")}
            choices={MCP_AVAILABILITIES.map((value) => ({
              value,
              label: capitalised(AVAILABILITY_WORDS[value]),
            }))}
            label="Chats"
          />
          <CheckField
            {...form.field("enabled")}
            hint="Off: no chat has its tools."
            label="Switched on"
          />
          <CheckField
            {...form.field("allow_in_plan_mode")}
            hint="A chat that only plans may call its tools: only for servers that change nothing."
            label="Also while planning"
          />
          <CheckField
            {...form.field("model_intent")}
            hint="Models say what each call is for, and the transcript shows it as the call’s headline. The server is not told."
            label="Calls say what they are for"
          />
        </div>
      </Panel>
      <Panel
        about="By their names on that server, one in each line. What is refused is refused also where it is allowed."
        title="Tools"
      >
        <div className="grid max-w-2xl items-start gap-4 sm:grid-cols-2">
          <TextAreaField
            {...form.field("tool_allow_list")}
            hint="Empty: all."
            isMono
            isOptional
            label="Only these"
            rows={4}
          />
          <TextAreaField
            {...form.field("tool_deny_list")}
            isMono
            isOptional
            label="None of these"
            rows={4}
          />
        </div>
      </Panel>
    </>
  );
}

type AuthFieldsProps = {
  readonly form: ServerForm;
  readonly existing: ToolServerView | undefined;
};

function AuthFields({ form, existing }: AuthFieldsProps) {
  const stored = existing?.header_names ?? [];
  const kept = {
    value: KEPT_AUTH,
    label: `As it is${stored.length === 0 ? "" : `: ${stored.join(", ")}`}`,
  };
  return (
    <>
      <ChoiceField
        {...form.field("auth")}
        choices={[
          ...(existing === undefined || existing.auth_type === "none" ? [] : [kept]),
          ...MCP_AUTH_TYPES.map((value) => ({ value, label: capitalised(AUTH_WORDS[value]) })),
        ]}
        complaint={null}
        label="Credentials"
      />
      {form.values["auth"] === "api_key" && (
        <div className="grid items-start gap-4 sm:grid-cols-2">
          <TextField {...form.field("auth.header")} isMono label="Header" />
          <TextField
            {...form.field("auth.value")}
            hint="With what stands before a key, as Bearer."
            label="Value"
            type="password"
          />
        </div>
      )}
      {form.values["auth"] === "custom_headers" && (
        <TextAreaField
          {...form.field("auth.headers")}
          hint="One in each line: X-Api-Key: secret. At most 20."
          isMono
          label="Headers"
          rows={4}
        />
      )}
      {form.values["auth"] === "oauth2" && (
        <div className="grid items-start gap-4 sm:grid-cols-2">
          <TextField
            {...form.field("auth.client_id")}
            hint="Empty: Atelier registers itself."
            isMono
            label="Client id"
          />
          <TextField {...form.field("auth.client_secret")} label="Client secret" type="password" />
          <TextField
            {...form.field("auth.scope")}
            hint="Empty: what the tool server says that it needs."
            isMono
            label="Scope"
          />
        </div>
      )}
    </>
  );
}

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
