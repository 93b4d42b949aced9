/** What a person decides for agents of their own: what they are told, with which models, and what they cost. */
import { getChatUserPrompt, putChatUserPrompt } from "@atelier/contract/http/chat-settings";
import { listChatModels } from "@atelier/contract/http/chat-models";
import type { CallAnswer } from "@atelier/contract/client";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { OwnRecording } from "../chats/debug/own-recording.tsx";
import { ORGANIZATION } from "../chat-models/organization.ts";
import { OwnModels } from "../chat-models/own-models.tsx";
import { OwnThresholds } from "../chat-models/own-thresholds.tsx";
import { CallPanel } from "../chats/attention/call-panel.tsx";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextAreaField } from "../forms/text-area-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { OwnSpending } from "../spending/own-spending.tsx";
import { OwnSignIns } from "../tool-servers/own-sign-ins.tsx";
import { announce } from "../ui/announcements.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";

export function Page() {
  const prompt = useEndpoint(getChatUserPrompt, {});
  const models = useEndpoint(listChatModels, { params: ORGANIZATION });
  return (
    <>
      <PageHead
        about="For chats of yours, on top of what the deployment decides."
        title="Your agents"
      />
      <Panel about="Every agent of yours is told this besides." title="Your own words">
        <Loaded query={prompt} what="your own words">
          {(answer) => <PromptForm answer={answer} />}
        </Loaded>
      </Panel>
      <CallPanel />
      <OwnSpending />
      <OwnRecording />
      <OwnSignIns />
      <Loaded query={models} what="models">
        {({ models: all }) => {
          const usable = all.filter(({ enabled, available }) => enabled && available);
          return usable.length === 0 ? (
            <EmptyState icon="model" title="No model that you can use yet">
              <p>Once there is one, you choose here what yours begin with.</p>
            </EmptyState>
          ) : (
            <>
              <OwnModels all={all} usable={usable} />
              <OwnThresholds models={usable} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function PromptForm({ answer }: { readonly answer: CallAnswer<typeof getChatUserPrompt> }) {
  const put = useChange(putChatUserPrompt, [getChatUserPrompt]);
  const form = useForm({
    initial: answer,
    submit: async (body) => {
      const wrong = problemOfBody(putChatUserPrompt, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await put({ body });
      if (outcome.ok) announce("Your agents are told from their next turn on.");
      return outcome;
    },
  });
  return (
    <div className="max-w-2xl">
      <FormFrame form={form} send="Save" sending="Saving…">
        <TextAreaField
          {...form.field("custom_prompt")}
          hint="How you like to work: your languages, how much to explain, what to ask first."
          label="Instructions"
          rows={6}
        />
      </FormFrame>
    </div>
  );
}
