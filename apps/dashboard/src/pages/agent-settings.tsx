/** What administrators decide for all agents: what they are told, whom they may ask, and what they may cost. */
import {
  getChatAdvisor,
  getChatAutoArchiveDays,
  getChatComputerUseProvider,
  getChatPersonalModelOverrides,
  getChatPlanInstructions,
  getChatRetentionDays,
  getChatSystemPrompt,
  putChatAdvisor,
  putChatPlanInstructions,
  putChatSystemPrompt,
} from "@atelier/contract/http/chat-settings";
import {
  getChatDebugLogging,
  getChatDebugRetentionDays,
} from "@atelier/contract/http/chat-debug-settings";
import type { CallAnswer } from "@atelier/contract/client";
import { Link } from "@tanstack/react-router";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { ChatLifeForm } from "../administration/chat-life-form.tsx";
import { DebugForm } from "../administration/debug-form.tsx";
import { DesktopModelForm } from "../administration/desktop-model-form.tsx";
import { OwnChoiceForm } from "../administration/own-choice-form.tsx";
import { SettingsForm } from "../administration/settings-form.tsx";
import { CheckField } from "../forms/check-field.tsx";
import { problemOfBody, problemOfFields } from "../forms/field-problems.ts";
import { TextAreaField } from "../forms/text-area-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { NOT_A_NUMBER, typedNumber } from "../forms/typed-number.ts";
import { useForm } from "../forms/use-form.ts";
import { SpendingLimits } from "../spending/spending-limits.tsx";
import { announce } from "../ui/announcements.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";

export function Page() {
  const prompt = useEndpoint(getChatSystemPrompt, {});
  const plan = useEndpoint(getChatPlanInstructions, {});
  const advisor = useEndpoint(getChatAdvisor, {});
  return (
    <>
      <PageHead
        about="What all agents of this deployment are told, what they may ask, what they may cost, and how long their chats live."
        title="Agent settings"
      />
      <Panel
        about="Stands first in every chat that begins from here on. Chats that there are keep theirs."
        title="System prompt"
      >
        <Loaded query={prompt} what="the system prompt">
          {(answer) => <PromptForm answer={answer} />}
        </Loaded>
      </Panel>
      <Panel
        about="What chats that only plan are told besides, before they change anything."
        title="Planning"
      >
        <Loaded query={plan} what="the instructions for planning">
          {(answer) => <PlanForm answer={answer} />}
        </Loaded>
      </Panel>
      <Panel
        about={
          <>
            Agents may ask a second model for advice, and go on with it. Which one:{" "}
            <Link className="text-accent underline" to="/ai/settings/models">
              models for certain work
            </Link>
            .
          </>
        }
        title="Advisor"
      >
        <Loaded query={advisor} what="the advisor’s settings">
          {(answer) => <AdvisorForm answer={answer} />}
        </Loaded>
      </Panel>
      <SpendingLimits />
      <LifePanels />
    </>
  );
}

/** Who chooses models, how long chats live, and what is recorded of them. */
function LifePanels() {
  const personal = useEndpoint(getChatPersonalModelOverrides, {});
  const archive = useEndpoint(getChatAutoArchiveDays, {});
  const kept = useEndpoint(getChatRetentionDays, {});
  const logging = useEndpoint(getChatDebugLogging, {});
  const debugKept = useEndpoint(getChatDebugRetentionDays, {});
  const desktop = useEndpoint(getChatComputerUseProvider, {});
  return (
    <>
      <Panel title="People’s own models">
        <Loaded query={personal} what="whether people choose models">
          {(answer) => <OwnChoiceForm answer={answer} />}
        </Loaded>
      </Panel>
      <Panel
        about="Chats with which nobody does anything are archived, and archived ones are deleted for good."
        title="How long chats live"
      >
        <Loaded query={archive} what="when idle chats are archived">
          {(idle) => (
            <Loaded query={kept} what="how long archived chats are kept">
              {(archived) => <ChatLifeForm archived={archived} idle={idle} />}
            </Loaded>
          )}
        </Loaded>
      </Panel>
      <Panel
        about="For finding out what a chat did: what models were sent and answered, without credentials. Prompts are in it."
        title="Recorded model calls"
      >
        <Loaded query={logging} what="who may have model calls recorded">
          {(recorded) => (
            <Loaded query={debugKept} what="how long recorded calls are kept">
              {(days) => <DebugForm kept={days} logging={recorded} />}
            </Loaded>
          )}
        </Loaded>
      </Panel>
      <Panel
        about="An agent that works with a desktop has a model of its own. Workspaces have no desktop yet, so none can be started."
        title="Desktops"
      >
        <Loaded query={desktop} what="whose model works with a desktop">
          {(answer) => <DesktopModelForm answer={answer} />}
        </Loaded>
      </Panel>
    </>
  );
}

function PromptForm({ answer }: { readonly answer: CallAnswer<typeof getChatSystemPrompt> }) {
  const put = useChange(putChatSystemPrompt, [getChatSystemPrompt]);
  const form = useForm({
    initial: {
      system_prompt: answer.system_prompt,
      include_default_system_prompt: String(answer.include_default_system_prompt),
    },
    submit: async (texts) => {
      const body = {
        system_prompt: texts.system_prompt,
        include_default_system_prompt: texts.include_default_system_prompt === "true",
      };
      const wrong = problemOfBody(putChatSystemPrompt, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await put({ body });
      if (outcome.ok) announce("The system prompt is saved.");
      return outcome;
    },
  });
  return (
    <SettingsForm form={form}>
      <TextAreaField
        {...form.field("system_prompt")}
        hint="How your company works: languages, conventions, what agents must not do."
        label="Your own words"
        rows={10}
      />
      <CheckField
        {...form.field("include_default_system_prompt")}
        hint="Without it agents know only what you write here."
        label="The product’s own words come first"
      />
      <details>
        <summary className="text-muted">Read the product’s own words</summary>
        <pre
          aria-label="The product’s own system prompt"
          className="mt-2 max-h-80 overflow-auto rounded-md bg-sunken p-3 font-mono text-xs whitespace-pre-wrap"
          // What scrolls must be reachable by keyboard.
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
        >
          {answer.default_system_prompt}
        </pre>
      </details>
    </SettingsForm>
  );
}

function PlanForm({ answer }: { readonly answer: CallAnswer<typeof getChatPlanInstructions> }) {
  const put = useChange(putChatPlanInstructions, [getChatPlanInstructions]);
  const form = useForm({
    initial: answer,
    submit: async (body) => {
      const wrong = problemOfBody(putChatPlanInstructions, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await put({ body });
      if (outcome.ok) announce("The instructions for planning are saved.");
      return outcome;
    },
  });
  return (
    <SettingsForm form={form}>
      <TextAreaField
        {...form.field("plan_mode_instructions")}
        hint="What a good plan holds for you: tests, risks, who has to agree."
        label="Instructions"
        rows={6}
      />
    </SettingsForm>
  );
}

function AdvisorForm({ answer }: { readonly answer: CallAnswer<typeof getChatAdvisor> }) {
  const put = useChange(putChatAdvisor, [getChatAdvisor]);
  const form = useForm({
    initial: {
      enabled: String(answer.enabled),
      max_uses_per_run: String(answer.max_uses_per_run),
      max_output_tokens: String(answer.max_output_tokens),
    },
    submit: async (texts) => {
      const uses = typedNumber(texts.max_uses_per_run);
      const tokens = typedNumber(texts.max_output_tokens);
      if (uses === null || tokens === null) {
        const field = uses === null ? "max_uses_per_run" : "max_output_tokens";
        return { ok: false, failure: problemOfFields([{ field, detail: NOT_A_NUMBER }]) };
      }
      const body = {
        enabled: texts.enabled === "true",
        max_uses_per_run: uses,
        max_output_tokens: tokens,
      };
      const wrong = problemOfBody(putChatAdvisor, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await put({ body });
      if (outcome.ok) announce("The advisor’s settings are saved.");
      return outcome;
    },
  });
  return (
    <SettingsForm form={form}>
      <CheckField {...form.field("enabled")} label="Agents may ask an advisor" />
      <div className="grid items-start gap-4 sm:grid-cols-2">
        <TextField
          {...form.field("max_uses_per_run")}
          hint="0: as often as the agent likes."
          inputMode="numeric"
          label="Questions in one turn, at most"
        />
        <TextField
          {...form.field("max_output_tokens")}
          hint="Of one answer. From 256 on."
          inputMode="numeric"
          label="Output tokens at most"
        />
      </div>
    </SettingsForm>
  );
}
