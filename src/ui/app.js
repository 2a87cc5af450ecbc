/**
 * What the pages do by themselves where scripts run. Nothing depends on it: every page works without. No
 * texts live here; they come in data attributes from the catalogue.
 */

const pollEveryMs = 3000;
const pollAtMostEveryMs = 60_000;
const doubleClickMs = 1000;

/** The error summary or notice is what should be read first. */
function focusNotice() {
  document.querySelector("[data-focus]")?.focus();
}

/**
 * The waiting page asks whether the link was opened, rests while nobody looks, and asks less often after
 * failures. When its question is refused, it goes where the server says why.
 */
function poll(status) {
  let delay = pollEveryMs;
  let timer;

  const say = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };

  const ask = async () => {
    try {
      const response = await fetch(status.dataset.poll, {
        headers: { accept: "application/json" },
        cache: "no-store",
        signal: AbortSignal.timeout(10_000),
      });
      if (response.status >= 400 && response.status < 500) {
        location.replace(status.dataset.continue);
        return;
      }
      if (!response.ok) throw new Error(`status ${response.status}`);
      const { state, linked } = await response.json();
      delay = pollEveryMs;
      if (state === "declined" && status.dataset.declined === undefined) {
        location.replace(status.dataset.page);
        return;
      }
      if (state === "continue") {
        say(status.dataset.going);
        location.replace(status.dataset.continue);
        return;
      }
      const names = new Intl.ListFormat(document.documentElement.lang).format(linked);
      say(
        linked.length > 0 ? status.dataset.linked.replace("{profiles}", () => names) : status.dataset.waiting,
      );
    } catch {
      delay = Math.min(delay * 2, pollAtMostEveryMs);
    }
    rest();
  };

  const rest = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, delay);
  };

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) void ask();
  });
  // A page taken out of the back-forward cache may have been overtaken.
  addEventListener("pageshow", (event) => {
    if (event.persisted) void ask();
  });
  say(status.dataset.waiting);
  rest();
}

/** Counts down to when one may ask again, by the clock, so that a sleeping tab is right at once. */
function countDown(counter) {
  const seconds = Number(counter.dataset.countdown);
  const until = Date.now() + seconds * 1000;
  const inUnits = (unit) =>
    new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" });
  const [inSeconds, inMinutes] = [inUnits("second"), inUnits("minute")];
  const waiting = counter.closest("[data-countdown-wait]");
  const timer = setInterval(() => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      counter.textContent = left > 120 ? inMinutes.format(Math.ceil(left / 60)) : inSeconds.format(left);
      return;
    }
    clearInterval(timer);
    const done = waiting?.parentElement?.querySelector("[data-countdown-done]");
    if (waiting) waiting.hidden = true;
    if (done) done.hidden = false;
  }, 250);
}

/** A second press within a second is a double click, not a second wish. */
function ignoreDoubleSubmit(form) {
  let last = Number.NEGATIVE_INFINITY;
  form.addEventListener("submit", (event) => {
    if (event.timeStamp - last < doubleClickMs) event.preventDefault();
    else last = event.timeStamp;
  });
}

focusNotice();
for (const form of document.querySelectorAll("form")) ignoreDoubleSubmit(form);
for (const status of document.querySelectorAll("[data-poll]")) poll(status);
for (const counter of document.querySelectorAll("[data-countdown]")) countDown(counter);
for (const form of document.querySelectorAll("form[data-auto-submit]")) {
  form.requestSubmit(form.querySelector("button[type=submit]"));
}
