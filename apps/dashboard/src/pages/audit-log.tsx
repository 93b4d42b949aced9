/** Who changed what, when, from where, and what came of it. */
import { AUDIT_ACTIONS, AUDIT_RESOURCES } from "@atelier/contract/audit-words";
import { AUDIT_COUNT_MAX, listAuditEvents } from "@atelier/contract/http/audit";
import { useNavigate, useSearch } from "@tanstack/react-router";
import {
  auditQuery,
  auditSentence,
  auditThing,
  diffRows,
  type AuditEventView,
} from "../administration/audit-words.ts";
import { usePages } from "../api/use-endpoint.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { Badge } from "../ui/badge.tsx";
import { ButtonLink } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Facts } from "../ui/facts.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";
import { userAgentText } from "./user-agent-text.ts";

type Chosen = Readonly<Record<string, string | undefined>>;

const PAGE_SIZE = 50;

export function Page() {
  const chosen: Chosen = useSearch({ strict: false });
  const q = auditQuery(chosen);
  const pages = usePages(
    listAuditEvents,
    { query: { limit: PAGE_SIZE, q } },
    ({ audit_logs: events }) =>
      events.length < PAGE_SIZE
        ? null
        : { query: { limit: PAGE_SIZE, q, after_id: events.at(-1)?.id } },
    { keepsFormer: true },
  );
  return (
    <>
      <PageHead
        about="Who changed what, when, from where, and what came of it."
        title="Audit log"
      />
      <Filters chosen={chosen} />
      <Loaded query={pages} what="the audit log">
        {({ pages: answers }) => {
          const events = answers.flatMap((answer) => answer.audit_logs);
          if (events.length === 0) {
            return (
              <EmptyState icon="audit" title="No entry fits">
                <p>
                  Each change through the API, the dashboard and the command line has an entry here.
                </p>
                <ButtonLink to="/logs/audit">Show all</ButtonLink>
              </EmptyState>
            );
          }
          return (
            <>
              <ol className="overflow-hidden rounded-lg border border-line bg-surface">
                {events.map((event) => (
                  <AuditRow event={event} key={event.id} />
                ))}
              </ol>
              <LoadMore
                count={answers[0]?.count ?? 0}
                countMax={AUDIT_COUNT_MAX}
                pages={pages}
                shown={events.length}
              />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function AuditRow({ event }: { readonly event: AuditEventView }) {
  const isRefused = event.status_code >= 400;
  return (
    <li className="border-b border-line last:border-0">
      <details>
        <summary className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2 hover:bg-hover">
          <span className="min-w-0 flex-1 break-words">{auditSentence(event)}</span>
          {isRefused && <Badge tone="bad">refused, {event.status_code}</Badge>}
          <span className="text-muted">
            <RelativeTime time={event.time} />
          </span>
        </summary>
        <div className="space-y-3 bg-sunken px-4 py-3">
          <DiffTable event={event} />
          <Facts
            facts={[
              { name: "Time", value: new Date(event.time).toLocaleString() },
              { name: "Address", value: event.ip },
              { name: "Program", value: userAgentText(event.user_agent) },
              { name: "Status", value: event.status_code },
              { name: "Request id", value: <Id text={event.request_id} /> },
              { name: "Resource id", value: <Id text={event.resource_id ?? "—"} /> },
            ]}
          />
          {event.resource_type === "chat" && event.resource_id !== null && (
            <ButtonLink to={`/chats/${event.resource_id}`}>Open the chat</ButtonLink>
          )}
        </div>
      </details>
    </li>
  );
}

function Id({ text }: { readonly text: string }) {
  return <code className="font-mono text-xs break-all select-all">{text}</code>;
}

function DiffTable({ event }: { readonly event: AuditEventView }) {
  const rows = diffRows(event.diff);
  if (rows.length === 0) return <p className="text-muted">No field changed.</p>;
  return (
    <table className="w-full table-fixed text-left">
      <thead className="text-xs text-muted">
        <tr>
          <th className="py-1 pr-3 font-medium" scope="col">
            Field
          </th>
          <th className="py-1 pr-3 font-medium" scope="col">
            Before
          </th>
          <th className="py-1 font-medium" scope="col">
            After
          </th>
        </tr>
      </thead>
      <tbody className="font-mono text-xs">
        {rows.map(({ field, before, after }) => (
          <tr className="align-top" key={field}>
            <td className="py-1 pr-3 break-words">{field}</td>
            <td className="py-1 pr-3 break-words text-bad">− {before}</td>
            <td className="py-1 break-words text-good">+ {after}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Filters({ chosen }: { readonly chosen: Chosen }) {
  const navigate = useNavigate();
  const field = (name: string) => ({
    name,
    value: chosen[name] ?? "",
    onChange: (value: string): void => {
      navigate({ to: "/logs/audit", search: { ...chosen, [name]: value }, replace: true }).catch(
        () => {}, // The router shows what went wrong.
      );
    },
  });
  const all = { value: "", label: "All" };
  const choices = (values: readonly string[]) => [
    all,
    ...values.map((value) => ({ value, label: value.replaceAll("_", " ") })),
  ];
  return (
    <div className="mb-4 grid grid-cols-2 gap-3 md:grid-cols-4">
      <TextField {...field("username")} label="Person" placeholder="username" type="search" />
      <ChoiceField {...field("action")} choices={choices(AUDIT_ACTIONS)} label="Action" />
      <ChoiceField
        {...field("resource_type")}
        choices={[all, ...AUDIT_RESOURCES.map((value) => ({ value, label: auditThing(value) }))]}
        label="What"
      />
      <TextField {...field("resource_target")} label="Name" type="search" />
      <TextField {...field("request_id")} isMono label="Request id" type="search" />
      <TextField {...field("status_code")} label="Status" placeholder="403" type="search" />
      <TextField {...field("date_from")} label="From" type="date" />
      <TextField {...field("date_to")} label="To" type="date" />
    </div>
  );
}
