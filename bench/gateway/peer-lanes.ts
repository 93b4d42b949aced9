/**
 * Other proxies and gateways, in the same run: nginx, Go's ReverseProxy, Portkey, LiteLLM. Each has
 * one worker, no access log and nothing recorded, as it would be set up for speed.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, printedPort, startProgram, type ProgramOptions } from "./child-processes.ts";
import { nodeTrust, OPENAI_PATH, type LaneDeps, type LaneKind, type RunningLane } from "./lane.ts";
import { installOnce, laneOf, versionOf } from "./program-lane.ts";

const PORTKEY = "1.15.2";
const PORTKEY_HONO_SERVER = "1.13.7";
const LITELLM = "1.95.1";
/** With later ones, which its own range allows, it does not start. */
const LITELLM_PINS = ["fastapi==0.136.3", "starlette==1.0.1"];
const GO_SOURCE = join(import.meta.dirname, "go-proxy/main.go");

const onGatewayCore = ({ placement }: LaneDeps): ProgramOptions => ({
  processors: placement?.gateway ?? null,
});

export const NGINX: LaneKind = {
  id: "nginx",
  name: "nginx, unbuffered",
  isUsual: true,
  speaksTls: true,
  prepare: () => Promise.resolve(versionOf("nginx", ["-v"], "install the package nginx")),
  start: async (deps) => {
    const directory = mkdtempSync(join(tmpdir(), "atelier-bench-nginx-"));
    const port = await freePort();
    const file = join(directory, "nginx.conf");
    mkdirSync(join(directory, "temp"));
    writeFileSync(file, nginxConfig(directory, port, deps));
    const args = ["-p", directory, "-c", file, "-e", "stderr"];
    const program = startProgram("nginx", args, onGatewayCore(deps));
    const lane = await laneOf(program, () => Promise.resolve(passing(deps, port)));
    return {
      ...lane,
      [Symbol.asyncDispose]: async () => {
        await lane[Symbol.asyncDispose]();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

function nginxConfig(directory: string, port: number, { upstream }: LaneDeps): string {
  const { protocol, host, hostname } = new URL(upstream.origin);
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${directory}/temp/${name};`)
    .join("\n");
  // Its master gives up root's rights otherwise, and then cannot write here.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `${user}
daemon off;
worker_processes 1;
pid ${directory}/pid;
events { worker_connections 16384; }
http {
${temp}
  access_log off;
  client_max_body_size 64m;
  client_body_buffer_size 64k;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  upstream mock { server ${host}; keepalive 4096; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass ${protocol}//mock;
      proxy_ssl_server_name on;
      proxy_ssl_name ${hostname};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host ${host};
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`;
}

export const GO: LaneKind = {
  id: "go",
  name: "Go ReverseProxy",
  isUsual: true,
  speaksTls: true,
  prepare: (directory) => {
    const version = versionOf("go", ["version"], "install Go");
    goBinary(directory);
    return Promise.resolve(version);
  },
  start: (deps) => {
    const { upstream, directory } = deps;
    const trust =
      upstream.certificateFile === null ? {} : { SSL_CERT_FILE: upstream.certificateFile };
    const program = startProgram(goBinary(directory), [upstream.origin], {
      ...onGatewayCore(deps),
      env: trust,
    });
    return laneOf(program, async () => passing(deps, await printedPort(program)));
  },
};

/** Built once for each state of its source. */
function goBinary(directory: string): string {
  const hash = createHash("sha256").update(readFileSync(GO_SOURCE)).digest("hex").slice(0, 12);
  const place = installOnce(directory, `go-proxy-${hash}`, (staging) => [
    ["go", "build", "-o", join(staging, "proxy"), GO_SOURCE],
  ]);
  return join(place, "proxy");
}

export const PORTKEY_LANE: LaneKind = {
  id: "portkey",
  name: `Portkey ${PORTKEY}`,
  isUsual: true,
  speaksTls: true,
  prepare: (directory) => {
    portkeyDirectory(directory);
    return Promise.resolve(`${PORTKEY} on Node ${process.version}`);
  },
  start: async (deps) => {
    const port = await freePort();
    const script = "node_modules/@portkey-ai/gateway/build/start-server.js";
    const program = startProgram(
      process.execPath,
      [join(portkeyDirectory(deps.directory), script), `--port=${port}`, "--headless"],
      { ...onGatewayCore(deps), env: { ...nodeTrust(deps.upstream), NODE_ENV: "production" } },
    );
    const target = passing(deps, port);
    const headers = [
      "x-portkey-provider: openai",
      `x-portkey-custom-host: ${deps.upstream.origin}/v1`,
    ];
    return laneOf(program, () => Promise.resolve({ ...target, headers }));
  },
};

function portkeyDirectory(directory: string): string {
  return installOnce(directory, `portkey-${PORTKEY}`, (staging) => {
    writeFileSync(
      join(staging, "package.json"),
      JSON.stringify({
        private: true,
        dependencies: { "@portkey-ai/gateway": PORTKEY },
        // With later ones, which its own range allows, it answers streams with 500.
        overrides: { "@hono/node-server": PORTKEY_HONO_SERVER },
      }),
    );
    return [["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]];
  });
}

export const LITELLM_LANE: LaneKind = {
  id: "litellm",
  name: `LiteLLM ${LITELLM}`,
  isUsual: false, // Its installation takes minutes.
  speaksTls: false,
  prepare: (directory) => {
    const python = join(litellmDirectory(directory), "bin/python");
    return Promise.resolve(`${LITELLM} on ${versionOf(python, ["--version"], "install Python")}`);
  },
  start: async (deps) => {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), "atelier-bench-litellm-"));
    const file = join(directory, "config.yaml");
    writeFileSync(file, litellmConfig(deps));
    // As a module: its script names the folder in which it was installed.
    const args = ["-m", "litellm.proxy.proxy_cli", "--config", file, "--port", String(port)];
    const program = startProgram(
      join(litellmDirectory(deps.directory), "bin/python"),
      [...args, "--host", "127.0.0.1", "--num_workers", "1"],
      { ...onGatewayCore(deps), cwd: directory, env: { LITELLM_LOG: "ERROR" } },
    );
    const lane = await laneOf(program, () => Promise.resolve(passing(deps, port)));
    return {
      ...lane,
      [Symbol.asyncDispose]: async () => {
        await lane[Symbol.asyncDispose]();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

/** JSON is YAML. */
function litellmConfig({ upstream }: LaneDeps): string {
  const params = { model: "openai/*", api_base: `${upstream.origin}/v1`, api_key: upstream.key };
  return JSON.stringify({
    model_list: [{ model_name: "*", litellm_params: params }],
    litellm_settings: { telemetry: false, drop_params: true },
  });
}

function litellmDirectory(directory: string): string {
  return installOnce(directory, `litellm-${LITELLM}`, (staging) => [
    ["python3", "-m", "venv", staging],
    [join(staging, "bin/pip"), "install", "--quiet", `litellm[proxy]==${LITELLM}`, ...LITELLM_PINS],
  ]);
}

/** For proxies that hand the caller's own key on. */
function passing({ upstream }: LaneDeps, port: number): RunningLane["target"] {
  return { port, path: OPENAI_PATH, token: upstream.key, headers: [] };
}
