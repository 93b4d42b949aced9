/** The mock upstream as the lanes see it: plain, and with TLS. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { printedPort, startProgram } from "./child-processes.ts";
import type { Upstream } from "./lane.ts";
import type { LoadTools } from "./load-driver.ts";
import type { Placement } from "./machine.ts";

type RunningUpstream = Upstream & AsyncDisposable;

export async function startUpstream(
  { mock: [command = "", ...args] }: LoadTools,
  placement: Placement,
  key: string,
): Promise<RunningUpstream> {
  await using started = new AsyncDisposableStack();
  const program = started.use(
    startProgram(command, args, { processors: placement?.others ?? null }),
  );
  const origin = `http://127.0.0.1:${await printedPort(program)}`;
  const resources = started.move();
  return {
    ...{ origin, key, certificateFile: null },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Null: nothing here can make a certificate. */
export async function startTlsUpstream(
  placement: Placement,
  key: string,
): Promise<RunningUpstream | null> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "atelier-bench-tls-"));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const [certificateFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  if (!makeCertificate(certificateFile, keyFile)) return null;
  const script = join(import.meta.dirname, "mock-upstream.ts");
  const program = started.use(
    startProgram(process.execPath, [script, key, certificateFile, keyFile], {
      processors: placement?.others ?? null,
    }),
  );
  const origin = `https://localhost:${await printedPort(program)}`;
  const resources = started.move();
  return {
    ...{ origin, key, certificateFile },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function makeCertificate(certificateFile: string, keyFile: string): boolean {
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
    ...["-keyout", keyFile, "-out", certificateFile],
  ]);
  return made.status === 0;
}
