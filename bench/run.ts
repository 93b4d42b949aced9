/** `npm run bench -- <name> [options]`: runs one benchmark and prints its table. */
import { runChatBench } from "./chat.ts";
import { runGatewayBench } from "./gateway.ts";
import { runRecordingBench } from "./recording.ts";
import { runUpstreamBench } from "./upstream.ts";
import { runUsageListingBench } from "./usage-listing.ts";
import { runWorkspaceLinkBench } from "./workspace-link.ts";

const BENCHES: Record<
  string,
  { readonly title: string; run(args: readonly string[]): Promise<void> }
> = {
  chat: {
    title: "chats: the first word, steps, streams, viewers and lists",
    run: (args) => runChatBench(args),
  },
  gateway: {
    title: "the gateway beside other proxies and gateways, in one run",
    run: (args) => runGatewayBench(args),
  },
  recording: {
    title: "what recording one interception costs, without relaying it",
    run: (args) => runRecordingBench(args),
  },
  upstream: {
    title: "the two upstream clients side by side, plain and over TLS",
    run: (args) => runUpstreamBench(args),
  },
  "usage-listing": {
    title: "listing sessions with one million interceptions",
    run: (args) => runUsageListingBench(args),
  },
  "workspace-link": {
    title: "keys, connections and bytes through a workspace's link, beside plain relays",
    run: (args) => runWorkspaceLinkBench(args),
  },
};

const [name = "", ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.log("Usage: npm run bench -- <name> [options]\n");
  for (const [each, { title }] of Object.entries(BENCHES))
    console.log(`  ${each.padEnd(16)} ${title}`);
  process.exitCode = name === "" || name === "--help" ? 0 : 2;
} else {
  await bench.run(args);
}
