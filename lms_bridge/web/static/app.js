// Small helpers of the pages. Everything works without them; nothing here is needed to enter a lesson.

const text = document.body.dataset;
const language = document.documentElement.lang || "en";

/** Make an element with properties and children. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Buttons show at once that something happens, and a form is sent once.
function showBusy(button) {
  button.setAttribute("aria-busy", "true");
  if (button.dataset.busy) {
    button.dataset.idle = button.textContent;
    button.textContent = button.dataset.busy;
  } else {
    button.title = text.textWorking || "";
  }
}

function showIdle(button) {
  button.removeAttribute("aria-busy");
  button.removeAttribute("title");
  if (button.dataset.idle) button.textContent = button.dataset.idle;
}

function makeReady(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("button")) {
    if (button.hasAttribute("aria-busy")) showIdle(button);
    delete button.dataset.confirmed;
  }
}

// A question that is asked once, in our own words and language; the button keeps its verb.
function ask(question, button) {
  const title = make("p", { textContent: question, id: "ask-text" });
  const yes = make("button", { type: "button", className: button.className, textContent: button.textContent });
  const no = make("button", { type: "button", className: "button button-secondary", textContent: text.textBack });
  const dialog = make("dialog", {}, title, make("div", { className: "actions" }, no, yes));
  dialog.setAttribute("aria-labelledby", "ask-text");
  dialog.addEventListener("close", () => dialog.remove());
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => {
    dialog.close();
    button.dataset.confirmed = "yes";
    button.form.requestSubmit(button);
  });
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
}

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (button?.dataset.confirm && !button.dataset.confirmed && window.HTMLDialogElement) {
    event.preventDefault();
    ask(button.dataset.confirm, button);
    return;
  }
  if (form.method === "get") return;
  form.dataset.sent = "yes";
  if (button) showBusy(button);
  // A form that answers with a file, or in a window of its own, leaves this page standing: make it ready again.
  if ("download" in form.dataset || form.target === "_blank") setTimeout(() => makeReady(form), 2000);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.button[href]");
  const plain = !event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (link && plain && !link.target && !link.hasAttribute("download") && !link.hash) showBusy(link);
  for (const open of document.querySelectorAll("details.account[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("details.account[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// A page taken out of the browser's memory (back button) is ready again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelectorAll("form[data-sent]").forEach(makeReady);
  document.querySelectorAll("a[aria-busy=true]").forEach(showIdle);
});

// Countdowns: counted from the server's seconds where given, because a phone's clock may be wrong.
const loaded = Date.now();

function sayIn(seconds) {
  const inWords = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  if (seconds < 120) return inWords.format(seconds, "second");
  if (seconds < 7200) return inWords.format(Math.ceil(seconds / 60), "minute");
  if (seconds < 172800) return inWords.format(Math.round(seconds / 3600), "hour");
  return inWords.format(Math.round(seconds / 86400), "day");
}

function tickCountdown(element) {
  const known = element.dataset.seconds;
  const target = known === undefined ? Date.parse(element.dateTime) : loaded + 1000 * Number(known);
  const left = Math.ceil((target - Date.now()) / 1000);
  if (left > 0) {
    element.textContent = sayIn(left);
  } else if (!element.dataset.over) {
    element.dataset.over = "yes";
    element.textContent = "";
    element.dispatchEvent(new CustomEvent("countdown:over", { bubbles: true }));
    // Only what was still to come when the page was loaded: a page never loads itself again and again.
    if ("reload" in element.dataset && target > loaded) setTimeout(() => location.reload(), 1000);
  }
}

function tick() {
  document.querySelectorAll("time[data-countdown]").forEach(tickCountdown);
  document.querySelectorAll(".week-table[data-now]").forEach(moveNowLine);
}

// The line of the current time in the week.
function moveNowLine(table) {
  const line = table.querySelector("[data-now-line]");
  if (!line || !table.dataset.now) return;
  const now = Number(table.dataset.now) + (Date.now() - loaded) / 60000;
  const row = [...table.tBodies[0].rows].find((one) => now < Number(one.dataset.to));
  const cell = row?.querySelector("td.today");
  if (!cell) {
    line.remove();
    return;
  }
  const from = Number(row.dataset.from);
  const part = `${Math.max(0, (100 * (now - from)) / (Number(row.dataset.to) - from))}%`;
  if (line.parentElement !== cell) cell.append(line);
  line.firstElementChild.setAttribute("cy", part);
  line.lastElementChild.setAttribute("y1", part);
  line.lastElementChild.setAttribute("y2", part);
}

// A swipe to the next or the previous day, on phones.
function allowSwipe(week) {
  const picks = [...week.querySelectorAll(".pick")];
  let startX = 0;
  let startY = 0;
  week.addEventListener("touchstart", (event) => {
    startX = event.touches[0].clientX;
    startY = event.touches[0].clientY;
  }, { passive: true });
  week.addEventListener("touchend", (event) => {
    const x = event.changedTouches[0].clientX - startX;
    const y = event.changedTouches[0].clientY - startY;
    if (Math.abs(x) < 48 || Math.abs(x) < 2 * Math.abs(y)) return;
    const next = picks[picks.findIndex((pick) => pick.checked) + (x < 0 ? 1 : -1)];
    if (next && getComputedStyle(next).display !== "none") next.checked = true;
  }, { passive: true });
}

function allowDismiss(notice) {
  const close = make("button", { type: "button", className: "button button-quiet notice-close", textContent: text.textClose });
  close.addEventListener("click", () => {
    notice.remove();
    document.getElementById("main")?.focus();
  });
  notice.append(close);
}

function allowShow(input) {
  const toggle = make("button", { type: "button", className: "button button-secondary", textContent: input.dataset.show });
  toggle.setAttribute("aria-controls", input.id);
  toggle.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    toggle.textContent = hidden ? input.dataset.hide : input.dataset.show;
  });
  const frame = make("div", { className: "password" });
  input.replaceWith(frame);
  frame.append(input, toggle);
}

function checkSize(input) {
  // Choosing the same file again, made smaller meanwhile, counts as a change only after this.
  input.addEventListener("click", () => {
    input.value = "";
    input.setCustomValidity("");
  });
  input.addEventListener("change", () => {
    const large = [...input.files].some((file) => file.size > Number(input.dataset.maxBytes));
    clearError(input);
    input.setCustomValidity(large ? input.dataset.tooLarge : "");
    if (large) input.checkValidity();
  });
}

// What the browser finds missing or wrong is said beside the field, in the page's language.
document.addEventListener("invalid", (event) => {
  const input = event.target;
  const label = input.id && document.querySelector(`label[for="${CSS.escape(input.id)}"]`);
  if (!label || !input.classList.contains("input")) return;
  event.preventDefault();
  clearError(input);
  const id = `${input.id}-mend`;
  const reason = input.validity.valueMissing ? text.textMissing : input.validationMessage;
  const prefix = make("span", { className: "visually-hidden", textContent: `${text.textError} ` });
  label.after(make("p", { className: "error", id }, prefix, reason));
  input.setAttribute("aria-invalid", "true");
  describe(input, id);
  if (input.form?.querySelector(":invalid:not(fieldset)") === input) input.focus();
}, true);

/** Name the texts that belong to a control: its hint, if it has one, and the error. */
function describe(input, ...ids) {
  const all = [`${input.id}-hint`, ...ids].filter((id) => document.getElementById(id));
  if (all.length) input.setAttribute("aria-describedby", all.join(" "));
  else input.removeAttribute("aria-describedby");
}

// An error, also the server's, goes when its field is mended.
function clearError(input) {
  if (input.getAttribute?.("aria-invalid") !== "true") return;
  for (const kind of ["mend", "error"]) document.getElementById(`${input.id}-${kind}`)?.remove();
  input.closest(".field-wrong")?.classList.remove("field-wrong");
  input.removeAttribute("aria-invalid");
  describe(input);
}

document.addEventListener("input", (event) => clearError(event.target));

// A text that is to be entered elsewhere is taken along with one press, where the browser lets us.
function allowCopy(button) {
  if (!navigator.clipboard) return;
  const label = button.textContent;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// Live parts (boards, progress): the page is fetched again and the part with the same id is put in its place.
function keepFresh(element) {
  const pause = 1000 * Math.max(2, Number(element.dataset.refresh) || 10);
  const again = async () => {
    const current = document.getElementById(element.id);
    if (!current) return;
    if (!document.hidden && !current.contains(document.activeElement)) {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (answer.status === 404 && current.dataset.gone) return location.assign(current.dataset.gone);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = answer.ok && page.getElementById(element.id);
        if (fresh) current.replaceWith(fresh);
        if (fresh && !("refresh" in fresh.dataset)) return;
      } catch {
        // The line is weak: keep what is shown and try again.
      }
    }
    setTimeout(again, pause);
  };
  setTimeout(again, pause);
}

document.querySelectorAll("[data-week]").forEach(allowSwipe);
document.querySelectorAll("[data-dismiss]").forEach(allowDismiss);
document.querySelectorAll("input[data-show]").forEach(allowShow);
document.querySelectorAll("input[data-max-bytes]").forEach(checkSize);
document.querySelectorAll("[data-copy]").forEach(allowCopy);
document.querySelectorAll("[data-refresh][id]").forEach(keepFresh);
document.querySelector(".error-summary")?.focus();
tick();
setInterval(tick, 1000);
