import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import type { BedrockAccess } from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import {
  AwsCredentialCache,
  credentialSource,
  type CredentialSource,
  type GotCredentials,
} from "./aws-credentials-io.ts";

const NOTHING: BedrockAccess = {
  region: "us-east-1",
  model: "m",
  smallFastModel: "s",
  accessKey: null,
  accessKeySecret: null,
  sessionToken: null,
  bearerToken: null,
  profile: null,
  roleArn: null,
  externalId: null,
  stsEndpoint: null,
};

/** What AWS's own library reads besides the settings. */
const VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_EC2_METADATA_DISABLED",
] as const;
const saved = new Map(VARIABLES.map((name) => [name, process.env[name]]));
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "aws-credentials-"));
  await writeFile(
    join(folder, "credentials"),
    "[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = work-secret\n",
  );
});

beforeEach(() => {
  for (const name of VARIABLES) delete process.env[name];
  process.env["AWS_CONFIG_FILE"] = join(folder, "config");
  process.env["AWS_SHARED_CREDENTIALS_FILE"] = join(folder, "credentials");
  process.env["AWS_EC2_METADATA_DISABLED"] = "true";
});

after(async () => {
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await rm(folder, { recursive: true });
});

function shown({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: GotCredentials) {
  return [accessKeyId, secretAccessKey.reveal(), sessionToken?.reveal() ?? null, expiresAt];
}

test("static keys serve as they are, with their session token", async () => {
  const access = { ...NOTHING, accessKey: new Secret("AKIA"), accessKeySecret: new Secret("s") };
  assert.deepEqual(shown(await credentialSource(access, "r")()), ["AKIA", "s", null, null]);
  const temporary = { ...access, sessionToken: new Secret("t") };
  assert.deepEqual(shown(await credentialSource(temporary, "r")()), ["AKIA", "s", "t", null]);
});

test("without keys the environment's serve, with and without a session token", async () => {
  process.env["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  process.env["AWS_SECRET_ACCESS_KEY"] = "env-secret";
  const source = credentialSource(NOTHING, "us-east-1");
  assert.deepEqual(shown(await source()), ["AKIAENV", "env-secret", null, null]);
  process.env["AWS_SESSION_TOKEN"] = "env-token";
  assert.deepEqual(shown(await source()), ["AKIAENV", "env-secret", "env-token", null]);
});

test("a profile is read from the files, whatever the environment says", async () => {
  process.env["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  process.env["AWS_SECRET_ACCESS_KEY"] = "env-secret";
  const source = credentialSource({ ...NOTHING, profile: "work" }, "us-east-1");
  assert.deepEqual(shown(await source()), ["AKIAWORK", "work-secret", null, null]);
});

test("where there are none, there are none", async () => {
  const none = cacheOf(credentialSource(NOTHING, "us-east-1"));
  assert.deepEqual(await none.get(), { ok: false, failure: "no_credentials" });
  const unknown = cacheOf(credentialSource({ ...NOTHING, profile: "no" }, "us-east-1"));
  assert.deepEqual(await unknown.get(), { ok: false, failure: "no_credentials" });
});

function cacheOf(source: CredentialSource, clock = new FakeClock()): AwsCredentialCache {
  return new AwsCredentialCache({ source, clock, log: silentLogger });
}

/** Gives out numbered credentials of this life; null: endless ones. */
function scripted(clock: FakeClock, lifeMs: number | null) {
  const seen = { count: 0, isBroken: false };
  const source: CredentialSource = () => {
    if (seen.isBroken) return Promise.reject(new Error("no connection"));
    seen.count += 1;
    const expiresAt = lifeMs === null ? null : new Date(clock.now().getTime() + lifeMs);
    const secretAccessKey = new Secret("s");
    return Promise.resolve({ accessKeyId: `K${seen.count}`, secretAccessKey, sessionToken: null, expiresAt }); // prettier-ignore
  };
  const cache = cacheOf(source, clock);
  const id = async (): Promise<string> => {
    const got = await cache.get();
    return got.ok ? got.value.accessKeyId : got.failure;
  };
  return { seen, cache, id };
}

test("credentials of an hour are kept until five minutes before their end", async () => {
  const clock = new FakeClock();
  const { id } = scripted(clock, 3_600_000);
  assert.equal(await id(), "K1");
  await clock.advance(55 * 60_000 - 1);
  assert.equal(await id(), "K1");
  await clock.advance(1);
  assert.equal(await id(), "K2");
});

test("short ones are kept for three quarters of their life, endless ones for a quarter of an hour", async () => {
  const clock = new FakeClock();
  const short = scripted(clock, 60_000);
  const endless = scripted(clock, null);
  assert.deepEqual([await short.id(), await endless.id()], ["K1", "K1"]);
  await clock.advance(44_999);
  assert.equal(await short.id(), "K1");
  await clock.advance(1);
  assert.equal(await short.id(), "K2");
  await clock.advance(15 * 60_000);
  assert.equal(await endless.id(), "K2");
});

test("concurrent calls get them once", async () => {
  const { seen, id } = scripted(new FakeClock(), 3_600_000);
  assert.deepEqual(await Promise.all([id(), id(), id()]), ["K1", "K1", "K1"]);
  assert.equal(seen.count, 1);
});

test("if they cannot be renewed, the old ones serve until they expire", async () => {
  const clock = new FakeClock();
  const { seen, id } = scripted(clock, 3_600_000);
  await id();
  seen.isBroken = true;
  await clock.advance(59 * 60_000);
  assert.equal(await id(), "K1");
  await clock.advance(60_000);
  assert.equal(await id(), "no_credentials");
  seen.isBroken = false;
  assert.equal(await id(), "K2");
});

test("discarded ones are got anew, but newer ones stay", async () => {
  const { seen, cache, id } = scripted(new FakeClock(), 3_600_000);
  const first = await cache.get();
  assert(first.ok);
  cache.discard(first.value);
  assert.equal(await id(), "K2");
  cache.discard(first.value);
  assert.equal(await id(), "K2");
  assert.equal(seen.count, 2);
});

test("a source that is silent for half a minute counts as having none", async () => {
  const clock = new FakeClock();
  const cache = cacheOf(() => new Promise(() => {}), clock);
  const got = cache.get();
  await clock.advance(30_000);
  assert.deepEqual(await got, { ok: false, failure: "no_credentials" });
});
