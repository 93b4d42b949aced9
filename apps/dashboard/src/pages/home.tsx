/** The first page: what can be done here, and what comes next. */
import { useSignedIn } from "../app/signed-in.ts";
import { PageHead } from "../ui/page-head.tsx";

export function Page() {
  const { username, name } = useSignedIn();
  return <PageHead title={`Hello, ${name === "" ? username : name}`} />;
}
