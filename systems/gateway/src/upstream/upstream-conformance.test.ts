/** All upstream clients pass one suite, over TLS as well. */
import { systemClock } from "@atelier/base/system-clock";
import { openMixedUpstream } from "./mixed-upstream-io.ts";
import { openRawUpstream } from "./raw-upstream-io.ts";
import { openUndiciUpstream } from "./undici-upstream-io.ts";
import { tlsWire, type OpenUpstream } from "./upstream-client-testkit.ts";
import { testUpstreamClient } from "./upstream-conformance-testkit.ts";

const openRaw: OpenUpstream = (options) => openRawUpstream({ ...options, clock: systemClock });

testUpstreamClient("undici", openUndiciUpstream);
testUpstreamClient("raw", openRaw);
testUpstreamClient("raw over TLS", openRaw, tlsWire());
testUpstreamClient(
  "mixed over TLS",
  (options) => openMixedUpstream({ ...options, clock: systemClock }),
  tlsWire(),
);
