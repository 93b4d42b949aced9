/** One step of a recorded run: what was asked and answered, what it took, and what went over HTTP. */
import { debugAttemptOutcome } from "@atelier/contract/chat/debug-words";
import type { ChatDebugAttempt, ChatDebugStep } from "@atelier/contract/http/chat-debug";
import { useMemo, type ReactNode } from "react";
import { Badge } from "../../ui/badge.tsx";
import { Facts } from "../../ui/facts.tsx";
import { durationText } from "../../ui/relative-time-text.ts";
import { CodeBlock, SmallCopyButton } from "../transcript/code-block.tsx";
import { Disclosure } from "../transcript/disclosure.tsx";
import { jsonText } from "../transcript/tool-words.ts";
import {
  bodyText,
  debugAnswer,
  debugRequest,
  type DebugMessage,
  type DebugPart,
} from "./debug-request.ts";

/** Of one text: a page that draws megabytes stands still. All of it is in what is copied and downloaded. */
const SHOWN_CHARACTERS_MAX = 60_000;

export function DebugStepView({ step }: { readonly step: ChatDebugStep }) {
  const { id, normalized_request: request, normalized_response: response, error } = step;
  const said = useMemo(() => debugAnswer(response), [response]);
  return (
    // What is read as prose is not cut at the panel's edge.
    <div className="space-y-3 p-3 [&_pre]:break-words [&_pre]:whitespace-pre-wrap">
      {error !== null && (
        <p className="rounded-md bg-bad-soft p-2 text-bad">
          {error.message}
          {error.detail !== undefined && <span className="block text-xs">{error.detail}</span>}
        </p>
      )}
      <Usage step={step} />
      <Part copied={jsonText(response)} title="Answer" what="the answer">
        {said.length === 0 && <p className="text-muted">There is none.</p>}
        <Parts parts={said} />
      </Part>
      <Part copied={jsonText(request)} title="Request" what="the request">
        <Request id={id} request={request} />
      </Part>
      <Part copied={jsonText(step.attempts)} title="Over HTTP" what="what went over HTTP">
        {step.attempts.length === 0 && <p className="text-muted">Nothing was sent yet.</p>}
        {step.attempts.map((attempt, index) => (
          <Attempt
            attempt={attempt}
            // They have nothing else that tells them apart, and never change places.
            key={index}
            number={index + 1}
            rowKey={`debug-${id}-attempt-${index}`}
          />
        ))}
      </Part>
    </div>
  );
}

function Usage({ step: { usage, metadata } }: { readonly step: ChatDebugStep }) {
  const counts = [
    { name: "Tokens in", value: usage?.input_tokens },
    { name: "Tokens out", value: usage?.output_tokens },
    { name: "Read from cache", value: usage?.cache_read_tokens },
    { name: "Written to cache", value: usage?.cache_creation_tokens },
    { name: "Thought", value: usage?.reasoning_tokens },
  ].flatMap(({ name, value }) =>
    value === undefined ? [] : [{ name, value: value.toLocaleString("en") }],
  );
  const purpose = metadata["purpose"];
  const facts = [
    ...(typeof purpose === "string" ? [{ name: "What for", value: purpose }] : []),
    ...counts,
  ];
  return facts.length === 0 ? null : <Facts facts={facts} />;
}

function Request({ id, request }: { readonly id: string; readonly request: unknown }) {
  const { messages, tools, settings } = useMemo(() => debugRequest(request), [request]);
  return (
    <>
      {messages.map((message, index) => (
        <Disclosure
          // A recorded conversation does not change.
          key={index}
          line={<MessageLine message={message} />}
          rowKey={`debug-${id}-message-${index}`}
        >
          {() => (
            <div className="p-2">
              <Parts parts={message.parts} />
            </div>
          )}
        </Disclosure>
      ))}
      {tools.length > 0 && (
        <Disclosure line={<span>{tools.length} tools</span>} rowKey={`debug-${id}-tools`}>
          {() => <p className="p-3 font-mono text-xs leading-6 break-words">{tools.join(", ")}</p>}
        </Disclosure>
      )}
      {settings.length > 0 && (
        <Disclosure line={<span>Settings</span>} rowKey={`debug-${id}-settings`}>
          {() => (
            <div className="p-3">
              <NamedTexts names={settings} />
            </div>
          )}
        </Disclosure>
      )}
    </>
  );
}

function MessageLine({ message: { role, parts } }: { readonly message: DebugMessage }) {
  const [first] = parts;
  return (
    <>
      <span className="w-18 shrink-0 font-medium text-ink">{role}</span>
      <span className="truncate">
        {first === undefined ? "nothing" : lineOf(first)}
        {parts.length > 1 && `, and ${parts.length - 1} more`}
      </span>
    </>
  );
}

function lineOf({ label, text }: DebugPart): string {
  const start = text.slice(0, 200).replaceAll(/\s+/g, " ");
  return label === "text" ? start : `${label} ${start}`;
}

function Parts({ parts }: { readonly parts: readonly DebugPart[] }) {
  return (
    <div className="space-y-2">
      {parts.map(({ label, text }, index) => (
        <CodeBlock
          // A recorded conversation does not change.
          key={index}
          label={label}
          language={text.startsWith("{") ? "json" : ""}
          text={shownText(text)}
        />
      ))}
    </div>
  );
}

type AttemptProps = {
  readonly attempt: ChatDebugAttempt;
  readonly number: number;
  readonly rowKey: string;
};

function Attempt({ attempt, number, rowKey }: AttemptProps) {
  const { status, duration_ms: tookMs, headers_ms: headersMs } = attempt;
  const isGood = status !== null && status < 400 && attempt.error === null;
  return (
    <Disclosure
      aside={
        <span className="text-xs text-muted tabular-nums">
          {tookMs === null ? "not over" : durationText(tookMs)}
        </span>
      }
      line={
        <>
          <span className="text-ink">Try {number}</span>
          <Badge tone={isGood ? "good" : "bad"}>{debugAttemptOutcome(attempt)}</Badge>
        </>
      }
      rowKey={rowKey}
    >
      {() => (
        <div className="space-y-3 p-3">
          <p className="font-mono text-xs break-all">
            {attempt.method} {attempt.url}
          </p>
          {headersMs !== null && (
            <p className="text-xs text-muted">The answer began after {durationText(headersMs)}.</p>
          )}
          <Body body={attempt.request_body} label="Sent" />
          <Headers headers={attempt.request_headers} label="Headers sent" />
          <Body body={attempt.response_body} label="Answered" />
          <Headers headers={attempt.response_headers} label="Headers answered" />
        </div>
      )}
    </Disclosure>
  );
}

function Body({ body, label }: { readonly body: string | null; readonly label: string }) {
  const shown = useMemo(() => (body === null ? null : bodyText(body)), [body]);
  if (shown === null || shown.text === "") return null;
  return <CodeBlock label={label} language={shown.language} text={shownText(shown.text)} />;
}

type HeadersProps = { readonly headers: Readonly<Record<string, string>>; readonly label: string };

function Headers({ headers, label }: HeadersProps) {
  const names = Object.entries(headers);
  if (names.length === 0) return null;
  return (
    <details>
      <summary className="text-xs text-muted">
        {label} ({names.length})
      </summary>
      <div className="mt-1">
        <NamedTexts names={names} />
      </div>
    </details>
  );
}

function NamedTexts({ names }: { readonly names: readonly (readonly [string, string])[] }) {
  return (
    <dl className="space-y-0.5 font-mono text-xs">
      {names.map(([name, value]) => (
        <div className="break-all" key={name}>
          <dt className="inline text-muted">{name}: </dt>
          <dd className="inline whitespace-pre-wrap">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

type PartProps = {
  readonly title: string;
  readonly copied: string;
  readonly what: string;
  readonly children: ReactNode;
};

function Part({ title, copied, what, children }: PartProps) {
  return (
    <section aria-label={title} className="space-y-1.5">
      <div className="flex items-center justify-between pr-1">
        <h3 className="text-xs font-medium text-muted">{title}</h3>
        <SmallCopyButton text={copied} what={what} />
      </div>
      {children}
    </section>
  );
}

function shownText(text: string): string {
  if (text.length <= SHOWN_CHARACTERS_MAX) return text;
  const left = text.length - SHOWN_CHARACTERS_MAX;
  return `${text.slice(0, SHOWN_CHARACTERS_MAX)}\n… ${left} more characters, in what is copied`;
}
