/** What a test of a model provider found, key by key, and what to do about it. */
import type { testModelProvider } from "@atelier/contract/http/ai-provider-test";
import type { CallAnswer } from "@atelier/contract/client";
import { Badge } from "../ui/badge.tsx";
import { durationText } from "../ui/relative-time-text.ts";

type Report = CallAnswer<typeof testModelProvider>;

const CHECK_NAMES = {
  reachability: "Reached",
  credential: "Key",
  completion: "Completion",
} as const;

export function ProviderTestReport({ report }: { readonly report: Report }) {
  return (
    <div className="space-y-4">
      <p className="flex items-center gap-2 font-medium">
        <Badge tone={report.passed ? "good" : "bad"}>{report.passed ? "passed" : "failed"}</Badge>
        {report.passed ? "All is well." : "Something keeps it from serving."}
      </p>
      <Notes notes={report.notes} />
      {report.results.map(({ key, checks, notes }) => (
        <section className="space-y-2" key={key?.id ?? "none"}>
          <h3 className="font-medium">
            {key === null ? "Without a key" : <code className="font-mono">{key.masked}</code>}
          </h3>
          <ul className="space-y-2">
            {checks.map((check) => (
              <li className="rounded-md border border-line p-2.5" key={check.kind}>
                <p className="flex flex-wrap items-center gap-2">
                  <Badge tone={check.outcome === "ok" ? "good" : "bad"}>{check.outcome}</Badge>
                  <span className="font-medium">{CHECK_NAMES[check.kind]}</span>
                  <span className="text-muted">
                    {check.model !== null && `${check.model} · `}
                    {check.status !== null && `status ${check.status} · `}
                    {durationText(check.latency_ms)}
                  </span>
                </p>
                <p>{check.explanation}</p>
                {check.message !== null && (
                  <p className="break-words text-muted">It says: {check.message}</p>
                )}
                {check.remedy !== null && <p className="font-medium">{check.remedy}</p>}
              </li>
            ))}
          </ul>
          <Notes notes={notes} />
        </section>
      ))}
    </div>
  );
}

function Notes({ notes }: { readonly notes: readonly string[] }) {
  return (
    <ul className="list-disc pl-5 text-muted">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}
