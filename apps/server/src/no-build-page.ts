/** What stands in for the dashboard in a checkout where nobody has built it: how to do that. */

/** HTML without scripts. It looks again by itself, so that a finished build shows. */
export function noBuildPage(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="3">
<title>Atelier</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 12vh auto; padding: 0 1rem }
pre { padding: .75rem 1rem; border: 1px solid; border-radius: .5rem; overflow-x: auto }
</style>
</head>
<body>
<h1>The dashboard is not built yet</h1>
<p>The server runs, and its API and gateway answer. <code>npm start</code> builds the dashboard beside
the starting server, which takes some seconds: this page looks again by itself.</p>
<p>If it stays like this, build it by hand and read what that says:</p>
<pre>npm run build</pre>
<p>Until then, the <a href="api/v2/docs">API description</a> and the command line
(<code>npm run atelier -- --help</code>) do the same things.</p>
</body>
</html>
`;
}
