/** Tool servers at which each person signs in for themselves: where one stands, and the way in and out. */
import type { ApiProblem } from "@atelier/contract/client";
import {
  listMcpServers,
  signInToMcpServer,
  signOutOfMcpServer,
} from "@atelier/contract/http/mcp-servers";
import { useState } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Panel } from "../ui/panel.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { serverName } from "./server-name.ts";
import type { ToolServerView } from "./server-values.ts";

/** Nothing, where no tool server asks for it. */
export function OwnSignIns() {
  const servers = useEndpoint(listMcpServers, {});
  return (
    <Loaded query={servers} what="tool servers">
      {(answer) => {
        const asking = answer.servers.filter(({ sign_in: signIn }) => signIn !== "not_needed");
        return asking.length === 0 ? null : (
          <Panel
            about="Agents of yours use these in your name. Nobody else can use what you sign in to."
            title="Tool servers that you sign in to"
          >
            <ul className="divide-y divide-line">
              {asking.map((server) => (
                <SignIn key={server.id} server={server} />
              ))}
            </ul>
          </Panel>
        );
      }}
    </Loaded>
  );
}

/** While a person signs in elsewhere. */
const LOOK_MS = 3_000;

function SignIn({ server }: { readonly server: ToolServerView }) {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  /** Where the person goes on. A page that opens by itself after an answer would be blocked. */
  const [url, setUrl] = useState<string | null>(null);
  const begin = useChange(signInToMcpServer);
  const end = useChange(signOutOfMcpServer, [listMcpServers]);
  const isIn = server.sign_in === "done";
  useEndpoint(listMcpServers, {}, url === null || isIn ? {} : { everyMs: LOOK_MS });
  const params = { params: { server: server.id } };
  const name = serverName(server);
  const change = async (): Promise<void> => {
    setProblem(null);
    setUrl(null);
    const outcome = isIn ? await end(params) : await begin(params);
    if (!outcome.ok) setProblem(outcome.failure);
    else if (outcome.value !== null) setUrl(outcome.value.authorization_url);
  };
  return (
    <li className="py-3">
      <div className="flex flex-wrap items-center gap-3">
        <span className="font-medium">{name}</span>
        <Badge tone={isIn ? "good" : "warn"}>{isIn ? "signed in" : "needs your sign-in"}</Badge>
        {url !== null && !isIn ? (
          <a className="underline" href={url} rel="noopener noreferrer" target="_blank">
            Continue at {new URL(url).host}
          </a>
        ) : (
          <Button
            aria-label={`${isIn ? "Sign out of" : "Sign in to"} ${name}`}
            onClick={() => {
              change().catch(() => {}); // Failures are values here.
            }}
          >
            {isIn ? "Sign out" : "Sign in"}
          </Button>
        )}
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
    </li>
  );
}
