// Moving lessons in the week: by mouse or finger, and in the same way by keyboard. What each slot says comes from the
// server; nothing changes before the question of the last step is answered there. Without this script the lesson's
// page lists the same slots.

const week = document.querySelector("[data-movable]");
const words = week.dataset;
const bar = week.querySelector(".move-bar");
const status = bar.querySelector(".move-status");
const table = week.querySelector("table");
const answers = new Map();
const SHAPES = {
  free: "M2.5 8.5l3.5 3.5 7.5-8",
  swap: "M2 5.5h11M10 2.5l3 3-3 3M14 10.5H3M6 7.5l-3 3 3 3",
  clash: "M3.5 3.5l9 9m0-9l-9 9",
  here: "M4 8h8M8 4v8",
  grip: "M8 1.5v13M1.5 8h13M6 3.5l2-2 2 2M6 12.5l2 2 2-2M3.5 6l-2 2 2 2M12.5 6l2 2-2 2",
};
let moving = null; // { lesson, slots: Map(cell -> button), drag }

function shape(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const line = svg.appendChild(document.createElementNS(space, "path"));
  line.setAttribute("d", path);
  line.setAttribute("class", "shape-line");
  return svg;
}

let closing = 0;
function say(text) {
  clearTimeout(closing);
  bar.classList.add("move-open");
  if (status.textContent !== text) status.textContent = text;
  // The last word stays for a while, then the bar gives the page back.
  if (!moving) closing = setTimeout(() => bar.classList.remove("move-open"), 8000);
}

/** What every slot of the week says to a lesson; asked once, and again after a failure or half a minute. */
function ask(lesson) {
  const known = answers.get(lesson);
  if (known && Date.now() - known.at < 30000) return known.answer;
  const answer = fetch(lesson.dataset.slots, { headers: { Accept: "application/json" } }).then((response) => {
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  });
  answers.set(lesson, { at: Date.now(), answer });
  answer.catch(() => answers.delete(lesson));
  return answer;
}

function slotButton(slot) {
  const button = document.createElement("button");
  button.type = "button";
  button.tabIndex = -1;
  button.className = `slot slot-${slot.verdict}`;
  button.append(shape(SHAPES[slot.verdict]), slot.word);
  const at = document.createElement("span");
  at.className = "visually-hidden";
  at.textContent = ` ${slot.at}`;
  button.append(at);
  if (slot.why) button.append(Object.assign(document.createElement("span"), { className: "slot-reason", textContent: slot.why }));
  if (!slot.url) button.setAttribute("aria-disabled", "true");
  button.addEventListener("focus", () => sayOf(slot));
  button.addEventListener("click", () => choose(slot));
  return button;
}

const sayOf = (slot) => say([`${slot.at}: ${slot.word}.`, ...slot.reasons].join(" "));

async function start(lesson, drag) {
  end();
  const mine = { lesson, slots: new Map(), drag };
  moving = mine;
  week.classList.add("moving");
  lesson.classList.add("lesson-moving");
  say(words.textAsking);
  try {
    const answer = await ask(lesson);
    if (moving !== mine) return;
    for (const slot of answer.slots) {
      const cell = table.querySelector(`[data-slot="${slot.day}/${slot.period}"]`);
      if (!cell) continue;
      const button = slotButton(slot);
      cell.append(button);
      mine.slots.set(cell, { button, slot });
    }
    countDays();
    say(`${answer.summary} ${drag ? "" : words.textMoving}`);
    if (!drag) focusFirst(lesson);
    // The pointer may have come to rest on a slot before the answer was there.
    else if (press?.drag === drag) follow(press.at.x, press.at.y);
  } catch {
    if (moving !== mine) return;
    end();
    say(words.textFailed);
  }
}

// On a phone, where one day is seen at a time, the days say how many slots they offer.
function countDays() {
  week.querySelectorAll(".day-picker label").forEach((label, n) => {
    const open = [...moving.slots].filter(([cell, { slot }]) => cell.cellIndex === n + 1 && slot.url).length;
    const mark = Object.assign(document.createElement("span"), { className: "day-open" });
    mark.append(shape(open ? SHAPES.free : SHAPES.clash), String(open));
    label.append(mark);
  });
}

function focusFirst(lesson) {
  const cells = [...moving.slots];
  const from = cells.findIndex(([cell]) => cell.contains(lesson));
  const shown = cells.map((entry, n) => [(n - from + cells.length) % cells.length, entry[1]]).sort((a, b) => a[0] - b[0])
    .map((pair) => pair[1]).filter(({ button }) => button.offsetParent);
  const first = shown.find(({ slot }) => slot.url) ?? shown[0];
  // The summary is heard before the first slot.
  if (first) setTimeout(() => first.button.isConnected && first.button.focus(), 50);
}

function end(text = "") {
  if (!moving) return;
  const { lesson, slots, drag } = moving;
  moving = null;
  drag?.ghost?.remove();
  for (const { button } of slots.values()) button.remove();
  week.querySelectorAll(".day-open").forEach((mark) => mark.remove());
  week.classList.remove("moving");
  lesson.classList.remove("lesson-moving");
  if (text) say(text);
  else bar.classList.remove("move-open");
}

function stop() {
  const back = moving?.lesson.querySelector(".move-start");
  end(words.textEnded);
  back?.focus();
}

// The last step: the page that says what would change, lifted into a dialog; if that fails, the page itself.
async function choose(slot) {
  sayOf(slot);
  if (!slot.url) return;
  const here = new URL(location.href);
  here.searchParams.delete("done");
  const url = `${slot.url}&back=${encodeURIComponent(here.pathname + here.search)}`;
  const lesson = moving?.lesson;
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.getElementById("confirm");
    if (!answer.ok || !part || !window.HTMLDialogElement) throw new Error();
    show(part, lesson);
  } catch {
    location.assign(url);
  }
}

function show(part, lesson) {
  const dialog = document.createElement("dialog");
  const title = Object.assign(document.createElement("h2"), { id: "confirm-title", textContent: part.dataset.title });
  dialog.setAttribute("aria-labelledby", "confirm-title");
  dialog.append(title, document.importNode(part, true));
  dialog.querySelector("[data-close]").addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    end(words.textEnded);
    lesson?.querySelector(".move-start")?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("button[type=submit]")?.focus();
}

// Keys
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

week.addEventListener("keydown", (event) => {
  if (!moving) return;
  if (event.key === "Escape") {
    event.preventDefault();
    stop();
  }
  const cell = event.target.closest("td");
  const step = STEPS[event.key];
  if (!step || !cell || !moving.slots.has(cell)) return;
  event.preventDefault();
  const rows = [...table.tBodies[0].rows];
  let [row, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
  let next;
  do {
    row += step[0];
    column += step[1];
    next = rows[row]?.cells[column];
  } while (next && !moving.slots.has(next));
  if (!next) return;
  showDay(column);
  moving.slots.get(next).button.focus();
});

function showDay(number) {
  const pick = week.querySelector(`.pick.p${number}`);
  if (pick) pick.checked = true;
}

week.querySelector("[data-end]").addEventListener("click", stop);

// Mouse, pen and finger: a finger drags after resting on the lesson, so that it can still scroll.
let press = null;

function down(event) {
  const lesson = event.target.closest(".lesson[data-slots]");
  if (!lesson || event.button !== 0 || event.target.closest("button")) return;
  press = { lesson, x: event.clientX, y: event.clientY, touch: event.pointerType === "touch", drag: null };
  ask(lesson).catch(() => {});
  if (press.touch) press.timer = setTimeout(begin, 450);
}

function begin() {
  const ghost = Object.assign(document.createElement("div"), { className: "ghost", textContent: press.lesson.dataset.name });
  ghost.setAttribute("aria-hidden", "true");
  document.body.append(ghost);
  press.drag = { ghost, over: null };
  start(press.lesson, press.drag);
  follow(press.x, press.y);
}

function follow(x, y) {
  press.at = { x, y };
  press.drag.ghost.style.transform = `translate(${x + 12}px, ${y + 12}px)`;
  if (y < 60 || y > innerHeight - 60) scrollBy(0, y < 60 ? -16 : 16);
  const under = document.elementFromPoint(x, y);
  const day = under?.closest(".day-picker label");
  if (day) document.getElementById(day.htmlFor).checked = true;
  const found = moving?.slots.get(under?.closest("td"));
  if (found === press.drag.over) return;
  press.drag.over?.button.classList.remove("slot-over");
  press.drag.over = found;
  if (!found) return;
  found.button.classList.add("slot-over");
  sayOf(found.slot);
}

function move(event) {
  if (!press) return;
  const far = Math.hypot(event.clientX - press.x, event.clientY - press.y);
  if (!press.drag && press.touch && far > 10) return up();
  if (!press.drag && !press.touch && far > 6) begin();
  if (press.drag) follow(event.clientX, event.clientY);
}

function up(event) {
  if (!press) return;
  clearTimeout(press.timer);
  const drag = press.drag;
  press = null;
  if (!drag) return;
  drag.ghost.remove();
  // The click that ends a drag opens nothing.
  addEventListener("click", swallow, true);
  setTimeout(() => removeEventListener("click", swallow, true), 0);
  const slot = drag.over?.slot;
  if (event?.type === "pointerup" && slot?.url) return choose(slot);
  end(event?.type === "pointerup" && slot ? status.textContent : words.textEnded);
}

function swallow(click) {
  click.preventDefault();
  click.stopPropagation();
}

table.addEventListener("pointerdown", down);
addEventListener("pointermove", move);
addEventListener("pointerup", up);
addEventListener("pointercancel", up);
addEventListener("keydown", (event) => event.key === "Escape" && press?.drag && up(event));
table.addEventListener("dragstart", (event) => event.target.closest(".lesson[data-slots]") && event.preventDefault());
table.addEventListener("contextmenu", (event) => press?.touch && event.preventDefault());
week.addEventListener("touchmove", (event) => press?.drag && event.preventDefault(), { passive: false });
week.addEventListener("touchend", (event) => press?.drag && event.stopPropagation(), { capture: true });

for (const lesson of week.querySelectorAll(".lesson[data-slots]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "move-start no-print";
  button.setAttribute("aria-label", words.textMove.replace("{}", lesson.dataset.name));
  button.append(shape(SHAPES.grip));
  button.addEventListener("click", () => start(lesson, null));
  lesson.append(button);
}
