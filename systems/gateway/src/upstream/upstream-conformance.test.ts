/** Both upstream clients pass one suite. */
import { systemClock } from "@atelier/base/system-clock";
import { openRawUpstream } from "./raw-upstream-io.ts";
import { openUndiciUpstream } from "./undici-upstream-io.ts";
import { testUpstreamClient } from "./upstream-conformance-testkit.ts";

testUpstreamClient("undici", openUndiciUpstream);
testUpstreamClient("raw", (options) => openRawUpstream({ ...options, clock: systemClock }));
