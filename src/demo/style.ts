/** The stylesheet of the demo's own sites: one plain layout, one accent a site. */

export const stylesheet = `
:root { color-scheme: light dark; --ink: #1b1b1f; --soft: #55555f; --paper: #ffffff; --ground: #f4f4f6;
  --line: #d5d5dc;
  --accent: #444; --accent-ink: #fff; --link: #0b57b0; --bad: #a11212; --bad-ground: #fdecec; }
.fabrikam { --accent: #5b2a86; --ground: #f5f0fa; --link: #5b2a86; }
.customersource { --accent: #1d4f91; --ground: #eff4fa; --link: #1d4f91; }
.partnersource { --accent: #9a3b00; --ground: #faf3ee; --link: #8a3500; }
.inbox { --accent: #2e3440; --ground: #f0f1f3; --link: #0b57b0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf1; --soft: #b4b4c0; --paper: #232328; --ground: #17171a; --line: #45454f; --link:
    #9cc3ff;
    --bad: #ffb3b3; --bad-ground: #401b1b; }
  .fabrikam { --ground: #1a1420; --link: #d5b3f5; }
  .customersource { --ground: #10161e; --link: #9cc8ff; }
  .partnersource { --ground: #1c1510; --link: #ffb98a; }
  .inbox { --ground: #17181b; --link: #9cc3ff; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground); color:
  var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere;
    }
header { background: var(--accent); color: var(--accent-ink); }
header a { color: inherit; }
.bar { max-width: 60rem; margin: 0 auto; padding: .75rem 1rem; display: flex; flex-wrap: wrap; gap: .25rem
  2rem;
  align-items: center; justify-content: space-between; }
.brand { margin: 0; font-size: 1.25rem; font-weight: 700; }
.brand a { text-decoration: none; }
.brand span { display: inline-block; font-size: .875rem; font-weight: 400; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 0; padding: 0; }
nav a { display: inline-block; padding: .375rem 0; }
main { flex: 1; width: 100%; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 2.5rem; }
footer { max-width: 60rem; width: 100%; margin: 0 auto; padding: 1rem; color: var(--soft); font-size:
  .875rem; border-top: 1px solid var(--line); }
footer p { margin: 0; }
.inbox .bar, .inbox main, .inbox footer { max-width: 76rem; }
.fabrikam .bar, .fabrikam main, .fabrikam footer { max-width: 28rem; }
.fabrikam main > section { background: var(--paper); border: 1px solid var(--line); border-top: .375rem solid
  var(--accent); padding: 1.5rem; }
.fabrikam .brand a { letter-spacing: .02em; }
h1 { font-size: 1.625rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.125rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 1rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
.lead { font-size: 1.125rem; max-width: 40rem; }
.hint, .soft { color: var(--soft); }
.hint { margin: 0 0 .25rem; font-size: .9375rem; }
.field { margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin: 0 0 .25rem; }
label + .hint { margin-top: -.25rem; }
input:focus-visible { outline-offset: 0; }
input { width: 100%; font: inherit; padding: .625rem .75rem; border: 1px solid var(--soft); border-radius:
  .25rem;
  background: var(--paper); color: var(--ink); }
button, .button { display: inline-block; font: inherit; font-weight: 600; padding: .625rem 1.25rem;
  min-height: 2.75rem;
  border: 1px solid var(--accent); border-radius: .25rem; background: var(--accent); color: var(--accent-ink);
  text-decoration: none; cursor: pointer; }
.plain { background: var(--paper); color: var(--link); border-color: currentColor; }
.wide { width: 100%; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin: 0 0 1rem; }
.row form { margin: 0; }
.links { list-style: none; padding: 0; margin: 1.25rem 0 0; }
.links li { margin: .5rem 0; }
.problem { background: var(--bad-ground); color: var(--bad); border-left: .25rem solid currentColor; padding:
  .75rem 1rem; }
.notice { background: var(--paper); border: 1px solid var(--line); border-left: .25rem solid var(--accent);
  padding: .75rem 1rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: .25rem; padding: 1.25rem;
  margin: 0 0 1.5rem; }
.card > h2 { margin-top: 0; }
.card > :last-child { margin-bottom: 0; }
.hero { padding: 2rem 1.5rem; border-top: .375rem solid var(--accent); }
dl.facts { margin: 0; display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .375rem
  1.5rem; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; font-weight: 600; }
.scroll { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: .25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem; border-bottom: 1px solid var(--line); }
tr:last-child > * { border-bottom: 0; }
thead th { color: var(--soft); font-size: .875rem; }
td code, th code { font-size: .9375rem; white-space: nowrap; }
.stack th, .stack td { overflow-wrap: break-word; }
.stack tbody th { min-width: 9rem; }
code, pre { font-family: ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; }
pre { white-space: pre-wrap; margin: 0; font-size: .9375rem; }
.mails { list-style: none; margin: 0; padding: 0; background: var(--paper); border: 1px solid var(--line);
  border-radius: .25rem; }
.mails li { padding: .75rem 1rem; border-bottom: 1px solid var(--line); }
.mails li:last-child { border-bottom: 0; }
.mails a { font-weight: 600; font-size: 1.0625rem; }
.mails p { margin: 0; color: var(--soft); font-size: .9375rem; }
iframe { width: 100%; height: 36rem; border: 1px solid var(--line); border-radius: .25rem; background: #fff; }
@media (max-width: 40rem) {
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .5rem; }
  .row > *, .row .button, .row button { width: 100%; text-align: center; }
  .stack thead { position: absolute; left: -999rem; }
  .stack tr { display: block; border-bottom: 1px solid var(--line); padding: .375rem 0; }
  .stack tr:last-child { border-bottom: 0; }
  .stack th, .stack td { display: block; border: 0; padding: .125rem .75rem; }
  .stack td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
}
`;
