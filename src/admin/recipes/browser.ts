/** The recipe for portals that run in a browser alone, which can't keep a secret. */

import { lines, pathOf, quoted, type Recipe } from "./recipe.ts";

export const oidcClientTs: Recipe = {
  name: "oidc-client-ts",
  title: "oidc-client-ts (in a browser)",
  presets: ["single_page"],
  paths: { redirect: "/callback", postLogout: "/" },
  files: ({ issuer, clientId, scope, redirectUri, postLogoutRedirectUri }) => [
    {
      file: "index.html",
      text: lines(
        "<!doctype html>",
        "<title>Portal</title>",
        '<pre id="person"></pre>',
        '<button id="in">Sign in</button> <button id="out">Sign out</button>',
        '<script type="module" src="/portal.js"></script>',
      ),
    },
    {
      file: "portal.js",
      text: lines(
        "// npm install oidc-client-ts; a bundler takes it along. index.html answers at / and " +
          `${pathOf(redirectUri)}.`,
        'import { UserManager } from "oidc-client-ts";',
        "",
        "const users = new UserManager({",
        `  authority: ${quoted(issuer)},`,
        `  client_id: ${quoted(clientId)},`,
        `  redirect_uri: ${quoted(redirectUri)},`,
        postLogoutRedirectUri !== null && `  post_logout_redirect_uri: ${quoted(postLogoutRedirectUri)},`,
        `  scope: ${quoted(scope)},`,
        "  loadUserInfo: true, // the claims come from userinfo",
        "});",
        "",
        "const show = (what) => {",
        '  document.querySelector("#person").textContent = JSON.stringify(what, null, 2);',
        "};",
        'document.querySelector("#in").onclick = () => users.signinRedirect();',
        'document.querySelector("#out").onclick = () => users.signoutRedirect();',
        "",
        "try {",
        `  if (location.pathname === ${quoted(pathOf(redirectUri))}) {`,
        "    await users.signinCallback();",
        '    history.replaceState(null, "", "/");',
        "  }",
        "  show((await users.getUser())?.profile ?? null);",
        "} catch (error) {",
        "  // Cancelled (access_denied), or begun elsewhere: offer to sign in, don't begin it.",
        "  show({ error: error.error ?? error.message });",
        "}",
      ),
    },
  ],
};
