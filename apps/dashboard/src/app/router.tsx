/** Addresses to pages. Made from the entries; what is outside the gate is listed here. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  useRouter,
  type ErrorComponentProps,
} from "@tanstack/react-router";
import { problemOf } from "../api/api-problem-error.ts";
import { basePath, reloadPage } from "../browser/host.ts";
import { Button, ButtonLink } from "../ui/button.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Gate } from "./gate.tsx";
import { PAGES } from "./page-entries.ts";
import { formatSearchTexts, parseSearchTexts } from "./search-text.ts";
import { Shell } from "./shell.tsx";

const rootRoute = createRootRoute({ component: Outlet });

const outside = [
  { path: "/setup", load: () => import("../pages/setup.tsx") },
  { path: "/login", load: () => import("../pages/login.tsx") },
].map(({ path, load }) =>
  createRoute({
    getParentRoute: () => rootRoute,
    path,
    component: lazyRouteComponent(load, "Page"),
  }),
);

const insideRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "inside",
  component: () => (
    <Gate>
      <Shell />
    </Gate>
  ),
});

const inside = PAGES.map(({ path, load }) =>
  createRoute({
    getParentRoute: () => insideRoute,
    path,
    component: lazyRouteComponent(load, "Page"),
  }),
);

/** Addresses that no page has. Inside, so that the navigation stands beside it. */
const unknownRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "$",
  component: UnknownPage,
});

// The types of a router know its routes one by one; ours come from a list.
export function makeRouter() {
  return createRouter({
    routeTree: rootRoute.addChildren([
      ...outside,
      insideRoute.addChildren([...inside, unknownRoute]),
    ]),
    basepath: basePath(),
    parseSearch: parseSearchTexts,
    stringifySearch: formatSearchTexts,
    defaultPreload: "intent",
    defaultErrorComponent: BrokenPage,
    defaultNotFoundComponent: UnknownPage,
    scrollRestoration: true,
  });
}

function UnknownPage() {
  return (
    <>
      <PageHead
        about="The address may be mistyped, or what it named is gone."
        title="No such page"
      />
      <ButtonLink look="main" to="/">
        Go home
      </ButtonLink>
    </>
  );
}

/** A page that could not be fetched, as after an update of the server, or that has a bug. */
function BrokenPage({ error }: ErrorComponentProps) {
  const router = useRouter();
  const isMissing = error instanceof Error && /import|module|preload/i.test(error.message);
  if (isMissing) {
    return (
      <>
        <PageHead
          about="The server may have been updated since this tab was opened, or cannot be reached."
          title="This page could not be fetched"
        />
        <Button look="main" onClick={reloadPage}>
          Reload
        </Button>
      </>
    );
  }
  return (
    <ProblemNotice problem={problemOf(error)}>
      <Button
        onClick={() => {
          router.invalidate().catch(() => {}); // It shows again what went wrong.
        }}
      >
        Try again
      </Button>
      <Button onClick={reloadPage}>Reload</Button>
    </ProblemNotice>
  );
}
