/** Whether this deployment does what it should, part by part, looked at again while the page is open. */
import { listModelProviders } from "@atelier/contract/http/ai-providers";
import { listChatModels } from "@atelier/contract/http/chat-models";
import { buildInfo } from "@atelier/contract/http/deployment";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  accessUrlFinding,
  databaseFinding,
  defaultModelFinding,
  encryptionFinding,
  providerFinding,
  serverFinding,
  summaryOf,
  type HealthFinding,
} from "../administration/health-findings.ts";
import { useEndpoint } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { deploymentUrl, probePath } from "../browser/host.ts";
import { ORGANIZATION } from "../chat-models/organization.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";

const LOOK_AGAIN_MS = 10_000;

export function Page() {
  const build = useEndpoint(buildInfo, {});
  const providers = useEndpoint(listModelProviders, {}, { everyMs: LOOK_AGAIN_MS });
  const models = useEndpoint(listChatModels, { params: ORGANIZATION }, { everyMs: LOOK_AGAIN_MS });
  const seesModels = useMay("chat_model:read");
  const probes = useQuery({
    queryKey: ["health probes"],
    queryFn: async () => ({
      server: await probePath("healthz"),
      database: await probePath("readyz"),
    }),
    refetchInterval: LOOK_AGAIN_MS,
  });
  const ofProviders = providers.data?.providers.map(providerFinding) ?? [];
  const ofModels =
    seesModels && models.data !== undefined ? [defaultModelFinding(models.data.models)] : [];
  return (
    <>
      <PageHead
        about="As the server sees it that answers you; with several, each has its own view."
        title="Health"
      >
        <Button
          busy={probes.isFetching ? "Looking…" : undefined}
          onClick={() => {
            // They tell.
            Promise.all([probes.refetch(), providers.refetch(), models.refetch()]).catch(() => {});
          }}
        >
          Look again
        </Button>
      </PageHead>
      <Loaded query={build} what="the server's version">
        {(info) => (
          <Loaded query={probes} what="the state of the server">
            {({ server, database }) => {
              const ofServer = [
                serverFinding(server, info.version),
                databaseFinding(database),
                accessUrlFinding(info, deploymentUrl()),
                encryptionFinding(deploymentUrl()),
              ];
              return (
                <>
                  <p className="mb-4 text-base font-medium" role="status">
                    {summaryOf([...ofServer, ...ofModels, ...ofProviders])}
                  </p>
                  <FindingList findings={[...ofServer, ...ofModels]} />
                  <p className="mt-2 mb-5 text-xs text-muted">
                    Looked at <RelativeTime time={new Date(probes.dataUpdatedAt).toISOString()} />.
                  </p>
                </>
              );
            }}
          </Loaded>
        )}
      </Loaded>
      <h2 className="mb-2 text-base font-semibold">Model providers</h2>
      <Loaded query={providers} what="model providers">
        {() =>
          ofProviders.length === 0 ? (
            <p className="text-muted">There is none yet.</p>
          ) : (
            <FindingList findings={ofProviders} />
          )
        }
      </Loaded>
    </>
  );
}

function FindingList({ findings }: { readonly findings: readonly HealthFinding[] }) {
  return (
    <ul className="overflow-hidden rounded-lg border border-line bg-surface">
      {findings.map(({ name, tone, words, detail, remedy, link }) => (
        <li
          className="flex flex-wrap items-baseline gap-x-3 gap-y-1 border-b border-line px-4 py-3 last:border-0"
          key={name}
        >
          <span className="w-44 font-medium break-words">{name}</span>
          <Badge tone={tone}>{words}</Badge>
          <div className="min-w-0 flex-1 basis-60">
            <p className="break-words text-muted">{detail}</p>
            {remedy !== undefined && (
              <p>
                {remedy}{" "}
                {link !== undefined && (
                  <Link className="text-accent underline" search={link.search ?? {}} to={link.to}>
                    {link.words}
                  </Link>
                )}
              </p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
