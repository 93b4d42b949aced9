/**
 * The dashboard as people use it: a real Chromium on a really started server. Pages that break the
 * security policy, log an error or throw fail the test that opened them.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { buildDashboard } from "../../tools/dashboard-build.ts";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];
/** Of a page that is wrong; a slow machine is none. */
const PAGE_MS_MAX = 60_000;
const START_MS_MAX = 120_000;
const REST_MS_MAX = 2_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Kept for people to look at; not in git. */
const SCREENSHOTS = join(import.meta.dirname, "../../dist/screenshots");

/** Undefined where there is none: journeys in a browser are skipped there, but not where CI runs. */
export const CHROMIUM = (process.env["PATH"] ?? "")
  .split(delimiter)
  .flatMap((folder) => PROGRAMS.map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/** For `test`: why a journey cannot run here. */
export const WITHOUT_CHROMIUM =
  CHROMIUM === undefined && process.env["CI"] === undefined
    ? { skip: "no Chromium on this machine" }
    : {};

export type BrowserWorld = AsyncDisposable & {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page complained about so far; each was also printed. */
  readonly complaints: string[];
  /** Another window of another person. */
  newPage(): Promise<Page>;
};

/** Opens a browser on the server at `url`. At the end, complaints of its pages throw. */
export async function openBrowser(
  url: string,
  args: readonly string[] = [],
): Promise<BrowserWorld> {
  await buildDashboard();
  const browser: Browser = await chromium.launch({
    ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...args],
    timeout: START_MS_MAX,
  });
  const complaints: string[] = [];
  const open = async (): Promise<Page> => {
    const context = await browser.newContext({
      baseURL: url,
      viewport: DESKTOP,
      reducedMotion: "reduce",
    });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    page.setDefaultTimeout(PAGE_MS_MAX);
    page.on("console", (message) => {
      const text = message.text();
      // Chromium logs each answer that is an error; pages show those themselves.
      if (message.type() !== "error" || text.startsWith("Failed to load resource")) return;
      complaints.push(text);
    });
    page.on("pageerror", (error) => complaints.push(String(error.stack)));
    return page;
  };
  const page = await open();
  return {
    page,
    context: page.context(),
    complaints,
    newPage: open,
    async [Symbol.asyncDispose]() {
      await browser.close();
      if (complaints.length > 0) {
        throw new Error(`pages complained:\n${complaints.map((each) => `  ${each}`).join("\n")}`);
      }
    },
  };
}

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** Of everything that a page must be, and of what depends on its colours alone. */
const RULES = {
  all: {
    type: "tag",
    values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  },
  colours: { type: "rule", values: ["color-contrast", "link-in-text-block"] },
} as const;

/** What axe finds wrong with the page as it is, as sentences. */
export async function axeFindings(
  page: Page,
  rules: keyof typeof RULES = "all",
): Promise<string[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(AXE);
  return page.evaluate(
    async (options) => {
      const { axe } = globalThis as unknown as {
        readonly axe: {
          run(options: object): Promise<{
            readonly violations: readonly {
              readonly id: string;
              readonly help: string;
              readonly nodes: readonly {
                readonly target: readonly string[];
                readonly failureSummary: string;
              }[];
            }[];
          }>;
        };
      };
      const { violations } = await axe.run(options);
      return violations.flatMap(({ id, help, nodes }) =>
        nodes.map(
          ({ target, failureSummary }) => `${id}: ${help} ${target.join(" ")} ${failureSummary}`,
        ),
      );
    },
    // What passes is not asked about, nor are style sheets, which no rule of these reads.
    { runOnly: RULES[rules], resultTypes: ["violations"], preload: { assets: ["media"] } },
  );
}

/** Colours that are still on their way to others have no contrast to be judged. */
async function comeToRest(page: Page): Promise<void> {
  await page.evaluate(`Promise.race([
    Promise.allSettled(document.getAnimations()
      .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime))
      .map(({ finished }) => finished)),
    new Promise((resolve) => setTimeout(resolve, ${REST_MS_MAX})), // One that was halted never ends.
  ]).then(() => {})`);
}

/** For whoever looks at them: CI does not, and a tenth of a journey is spent on them. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  if (process.env["CI"] !== undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/**
 * Judges the page in every way it is shown: light, dark, and on a phone. Each is kept as a picture,
 * must be clean for axe, and must not be wider than the screen. Dark differs from light by its
 * colours only; a phone shows other things.
 */
export async function judgePage(page: Page, name: string): Promise<string[]> {
  const findings: string[] = [];
  for (const [way, viewport, colorScheme, rules] of [
    ["light", DESKTOP, "light", "all"],
    ["dark", DESKTOP, "dark", "colours"],
    ["phone", PHONE, "light", "all"],
  ] as const) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await comeToRest(page);
    await keepPicture(page, `${name}-${way}`);
    const found = await axeFindings(page, rules);
    const overflow = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    if (Number(overflow) > 0)
      found.push(`the page is ${String(overflow)} px wider than the screen`);
    findings.push(...found.map((each) => `${name}, ${way}: ${each}`));
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
  return findings;
}

/** Looks until it is so: what a page does behind an event is done a moment later. */
export async function untilSo(look: () => Promise<boolean>, what: string): Promise<void> {
  for (const lateMs = performance.now() + PAGE_MS_MAX; !(await look());) {
    assert.ok(performance.now() < lateMs, what);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Signs a person in as they would, and waits for their first page. */
export async function signIn(
  page: Page,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<void> {
  await page.goto("login");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /^Hello/ }).waitFor();
}
