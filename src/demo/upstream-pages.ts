/** The pages of Fabrikam ID. Pure functions; the routes are upstream-routes.ts's. */

import { field, html, type Markup, type Page, problem } from "./page.ts";

export const UPSTREAM_NAME = "Fabrikam ID";

type Content = Pick<Page, "title" | "body" | "status">;

/** Dresses a page as Fabrikam ID's. */
function fabrikam(content: Content): Page {
  return { look: "fabrikam", site: UPSTREAM_NAME, tagline: "Your account for everything", ...content };
}

export interface SignInView {
  /** Where the form goes, and what its links are relative to. */
  interactionPath: string;
  /** Whom the person will return to. */
  clientName: string;
  username: string;
  error?: string;
}

export function signInPage(view: SignInView): Page {
  const focusPassword = view.username !== "";
  return fabrikam({
    title: "Sign in",
    body: html`<section>
      <h1>Sign in</h1>
      <p>to continue to <strong>${view.clientName}</strong></p>
      ${problem(view.error)}
      <form method="post" action="${view.interactionPath}">
        ${field({
          name: "username",
          label: "Username",
          value: view.username,
          autocomplete: "username",
          focus: !focusPassword,
        })}
        ${field({
          name: "password",
          label: "Password",
          type: "password",
          autocomplete: "current-password",
          focus: focusPassword,
        })}
        <button class="wide" type="submit">Sign in</button>
      </form>
      <ul class="links">
        <li><a href="${view.interactionPath}/create-account">Create an account</a></li>
        <li><a href="${view.interactionPath}/forgot-password">Forgot your password?</a></li>
        <li><a href="${view.interactionPath}/cancel">Cancel</a></li>
      </ul>
    </section>`,
  });
}

export interface AccountForm {
  action: string;
  /** Where *back* leads: the sign-in in progress, or the about page. */
  back: string;
  values: { name: string; email: string; username: string };
  error?: string | undefined;
}

export function createAccountPage(form: AccountForm): Page {
  const { name, email, username } = form.values;
  return fabrikam({
    title: "Create an account",
    status: form.error === undefined ? 200 : 400,
    body: html`<section>
      <h1>Create an account</h1>
      ${problem(form.error)}
      <form method="post" action="${form.action}">
        ${field({ name: "name", label: "Your name", value: name, autocomplete: "name" })}
        ${field({
          name: "email",
          label: "Email address",
          type: "email",
          value: email,
          autocomplete: "email",
          hint: "Any address will do. Fabrikam ID sends no mail.",
        })}
        ${field({ name: "username", label: "Username", value: username, autocomplete: "username" })}
        ${newPassword("Password")}
        <button class="wide" type="submit">Create account</button>
      </form>
      <ul class="links"><li><a href="${form.back}">Back</a></li></ul>
    </section>`,
  });
}

const newPassword = (label: string) =>
  field({
    name: "password",
    label,
    type: "password",
    autocomplete: "new-password",
    hint: "At least 8 characters.",
  });

export interface ResetForm {
  action: string;
  back: string;
  username: string;
  error?: string | undefined;
}

export function forgotPasswordPage(form: ResetForm): Page {
  return fabrikam({
    title: "Forgot your password?",
    status: form.error === undefined ? 200 : 400,
    body: html`<section>
      <h1>Forgot your password?</h1>
      <p class="notice">A real provider would first make sure that the account is yours. This is a demo: name
        an account and give it a new password.</p>
      ${problem(form.error)}
      <form method="post" action="${form.action}">
        ${field({ name: "username", label: "Username", value: form.username, autocomplete: "username" })}
        ${newPassword("New password")}
        <button class="wide" type="submit">Set new password</button>
      </form>
      <ul class="links"><li><a href="${form.back}">Back</a></li></ul>
    </section>`,
  });
}

/** Says that something is done, and where the person goes on. */
export function donePage(title: string, detail: string, next: { href: string; label: string } | null): Page {
  return fabrikam({
    title,
    body: html`<section>
      <h1>${title}</h1>
      <p>${detail}</p>
      ${next === null ? "" : html`<p><a class="button" href="${next.href}">${next.label}</a></p>`}
    </section>`,
  });
}

export function aboutPage(): Page {
  return fabrikam({
    title: "About Fabrikam ID",
    body: html`<section>
      <h1>About Fabrikam ID</h1>
      <p>Fabrikam ID is the consumer account of this demo: one username and password that many services
        accept, such as a shop, a game, or the sign-in service of a company you do business with.</p>
      <p>It knows who you are as a private person. It doesn't know which organization you work for: that is
        what Liaison adds.</p>
      <p>Any email address can be used for an account, and using it costs nothing.</p>
      <ul class="links">
        <li><a href="/create-account">Create an account</a></li>
        <li><a href="/forgot-password">Forgot your password?</a></li>
      </ul>
    </section>`,
  });
}

/** Asks before signing out; `form` is the hidden form of oidc-provider that the buttons submit. */
export function signOutPage(form: Markup): Page {
  return fabrikam({
    title: "Sign out",
    body: html`<section>
      <h1>Sign out of Fabrikam ID?</h1>
      ${form}
      <div class="row">
        <button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
        <button class="plain" type="submit" form="op.logoutForm">Stay signed in</button>
      </div>
    </section>`,
  });
}

export function errorPage(status: number, detail: string): Page {
  return fabrikam({
    title: "This sign-in can't go on",
    status,
    body: html`<section>
      <h1>This sign-in can't go on</h1>
      <p>${detail}</p>
      <p>Return to the site that you wanted to reach and sign in from there.</p>
    </section>`,
  });
}
