/** One tool server (MCP): a new one, or one that is there, which can be tried. */
import {
  createMcpServer,
  deleteMcpServer,
  listMcpServers,
  testMcpServer,
  updateMcpServer,
} from "@atelier/contract/http/mcp-servers";
import type { ApiProblem, CallAnswer, CallInput } from "@atelier/contract/client";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { problemOf } from "../api/api-problem-error.ts";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { ToolServerForm } from "../tool-servers/server-form.tsx";
import { ToolServerTestReport } from "../tool-servers/server-test-report.tsx";
import {
  EMPTY_TOOL_SERVER,
  KEPT_AUTH,
  serverBody,
  serverChange,
  TOOL_SERVER_SECRETS,
  textsOfServer,
  type ToolServerView,
} from "../tool-servers/server-values.ts";
import { announce } from "../ui/announcements.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

const SERVERS = "/ai/settings/mcp-servers";
const NEW = "new";

const CANCEL = (
  <ButtonLink look="quiet" to={SERVERS}>
    Cancel
  </ButtonLink>
);

export function Page() {
  const { server: id = NEW } = useParams({ strict: false }) as { readonly server?: string };
  const query = useEndpoint(listMcpServers, {});
  if (id === NEW) return <NewServer />;
  return (
    <Loaded query={query} what="the tool server">
      {({ servers }) => {
        const server = servers.find((each) => each.id === id);
        return server === undefined ? (
          <PageHead about="It may have been deleted." title="No such tool server">
            <ButtonLink to={SERVERS}>All tool servers</ButtonLink>
          </PageHead>
        ) : (
          <ExistingServer key={id} server={server} />
        );
      }}
    </Loaded>
  );
}

type CreationBody = CallInput<typeof createMcpServer>["body"];

function NewServer() {
  const create = useChange(createMcpServer, [listMcpServers]);
  const navigate = useNavigate();
  return (
    <>
      <PageHead
        about="Its tools become those of your agents. It is tried on the next page."
        title="Add a tool server"
      />
      <ToolServerForm
        draft="tool-server"
        initial={EMPTY_TOOL_SERVER}
        others={CANCEL}
        send={{ verb: "Add it", doing: "Adding…" }}
        submit={async (body) => {
          const wrong = problemOfBody(createMcpServer, body);
          if (wrong !== null) return { ok: false, failure: wrong };
          const outcome = await create({ body: body as CreationBody }); // Judged above.
          if (outcome.ok) {
            announce(`${outcome.value.slug} is added. Try it before people use it.`);
            await navigate({ to: `${SERVERS}/${outcome.value.id}` });
          }
          return outcome;
        }}
      />
    </>
  );
}

function ExistingServer({ server }: { readonly server: ToolServerView }) {
  const update = useChange(updateMcpServer, [listMcpServers]);
  // What the form began with: only what was typed is sent, whatever others change meanwhile.
  const [began] = useState(() => textsOfServer(server));
  const [sent, setSent] = useState(() => serverBody(began));
  const { slug, display_name: displayName } = server;
  return (
    <>
      <PageHead
        about={`Its tools are named ${slug}__…`}
        title={displayName === "" ? slug : displayName}
      >
        <ServerActions server={server} />
      </PageHead>
      <ToolServerForm
        existing={server}
        initial={began}
        others={CANCEL}
        send={{ verb: "Save", doing: "Saving…" }}
        submit={async (body, form) => {
          const change = sent.ok ? serverChange(sent.value, body) : body;
          const wrong = problemOfBody(updateMcpServer, change);
          if (wrong !== null) return { ok: false, failure: wrong };
          const outcome = await update({
            params: { server: server.id },
            body: change,
          });
          if (outcome.ok) {
            const { auth: _auth, ...rest } = body;
            setSent({ ok: true, value: rest });
            form.set("auth", outcome.value.auth_type === "none" ? "none" : KEPT_AUTH);
            for (const field of TOOL_SERVER_SECRETS) form.set(field, "");
            announce("Saved. Chats under way take it up within a minute.");
          }
          return outcome;
        }}
      />
    </>
  );
}

type TestState =
  | { readonly kind: "closed" | "running" }
  | { readonly kind: "failed"; readonly problem: ApiProblem }
  | { readonly kind: "done"; readonly report: CallAnswer<typeof testMcpServer> };

function ServerActions({ server }: { readonly server: ToolServerView }) {
  const params = { server: server.id };
  const test = useChange(testMcpServer);
  const remove = useChange(deleteMcpServer, [listMcpServers]);
  const navigate = useNavigate();
  const [tested, setTested] = useState<TestState>({ kind: "closed" });
  const [isDeleting, setIsDeleting] = useState(false);
  const run = async (): Promise<void> => {
    setTested({ kind: "running" });
    const outcome = await test({ params });
    setTested(
      outcome.ok
        ? { kind: "done", report: outcome.value }
        : { kind: "failed", problem: outcome.failure },
    );
  };
  return (
    <>
      <Button
        busy={tested.kind === "running" ? "Trying it…" : undefined}
        look="main"
        onClick={() => {
          run().catch((error: unknown) => setTested({ kind: "failed", problem: problemOf(error) }));
        }}
      >
        Try it
      </Button>
      <Button onClick={() => setIsDeleting(true)}>Delete</Button>
      <Modal
        isOpen={tested.kind === "done" || tested.kind === "failed"}
        onClose={() => setTested({ kind: "closed" })}
        title={`Trial of ${server.slug}`}
      >
        {tested.kind === "done" && <ToolServerTestReport report={tested.report} />}
        {tested.kind === "failed" && <ProblemNotice problem={tested.problem} />}
      </Modal>
      <Confirm
        about="Chats go on without its tools. Its credentials are forgotten."
        doing="Deleting…"
        isOpen={isDeleting}
        onClose={() => setIsDeleting(false)}
        onConfirm={async () => {
          const outcome = await remove({ params });
          if (outcome.ok) await navigate({ to: SERVERS });
          return outcome;
        }}
        title={`Delete ${server.slug}?`}
        verb="Delete it"
      />
    </>
  );
}
