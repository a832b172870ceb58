// The room: signs of life, questions, hands, who is here. Without this script the page's forms do the same.

import { stayPresent } from "./presence.js";

const room = document.getElementById("room");
const words = room.dataset;
const leads = words.leads === "yes";
const byId = (id) => document.getElementById(id);
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

// The line
let line = true;
function showLine(up) {
  if (up === line) return;
  line = up;
  const place = byId("line");
  place.textContent = up ? "" : words.textOffline;
  place.hidden = up;
}
const toDoor = () => location.assign(words.door);
stayPresent({ url: words.beat, session: words.session, every: Number(words.every), online: showLine, closed: toDoor });

// What is sent, is sent until it arrives: one at a time, with growing pauses.
const outbox = [];
let posting = false;
function post(url, data, refused = () => {}) {
  outbox.push({ url, data, refused });
  deliver();
}
async function deliver() {
  if (posting) return;
  posting = true;
  let pause = 1000;
  while (outbox.length) {
    const { url, data, refused } = outbox[0];
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(data),
      });
      if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
      outbox.shift();
      pause = 1000;
      if (!answer.ok) refused((await answer.json().catch(() => ({}))).error?.message);
      showLine(true);
    } catch {
      showLine(false);
      await new Promise((wake) => setTimeout(wake, pause));
      pause = Math.min(2 * pause, 20000);
    }
  }
  posting = false;
  look();
}

// The state
let tag = "";
let failures = 0;
let looking = false;
let timer = 0;
async function look() {
  clearTimeout(timer);
  if (looking) return;
  looking = true;
  try {
    const answer = await fetch(words.state, {
      cache: "no-store",
      headers: tag ? { Accept: "application/json", "If-None-Match": tag } : { Accept: "application/json" },
    });
    if (answer.status === 404) return toDoor();
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      show(await answer.json());
    } else if (answer.status !== 304) throw new Error(String(answer.status));
    failures = 0;
  } catch {
    failures += 1;
  } finally {
    looking = false;
  }
  const pause = 1000 * Number(words.poll) * 2 ** Math.min(failures, 4) * (document.hidden ? 4 : 1);
  timer = setTimeout(look, pause * (0.9 + 0.2 * Math.random()));
}

function show(state) {
  if (!state.open) return toDoor();
  byId("here").textContent = fill(words.textHere, { here: state.here, all: state.expected });
  byId("teacher-away")?.toggleAttribute("hidden", state.teacher);
  showHand(state.hand);
  state.questions.forEach(showQuestion);
  const there = new Set(state.questions.map(({ id }) => id));
  for (const item of [...byId("board").children]) if (item.dataset.id && !there.has(item.dataset.id)) item.remove();
  byId("no-questions").hidden = byId("board").children.length > 0;
  if (leads) showPeople(state);
  showMaterials(state.materials);
}

function showHand(up) {
  const form = byId("hand-form");
  if (!form || outbox.some(({ url }) => url === form.action)) return;
  const button = form.querySelector("button");
  form.elements.up.value = up ? "no" : "yes";
  button.textContent = up ? button.dataset.down : button.dataset.up;
  button.classList.toggle("hand-up", up);
}

function showQuestion(question) {
  let item = document.querySelector(`[data-id="${CSS.escape(question.id)}"]`);
  if (!item) {
    document.querySelector(`[data-waiting="${CSS.escape(question.text)}"]`)?.remove();
    item = byId("question-template").content.firstElementChild.cloneNode(true);
    item.dataset.id = question.id;
    for (const form of item.querySelectorAll("form")) form.action = `${words.base}/questions/${question.id}/${form.dataset.room}`;
    byId("board").append(item);
  }
  item.querySelector(".question-text").textContent = question.text;
  const who = question.name || (question.mine ? words.textYou : words.textClassmate);
  item.querySelector(".question-by").textContent = `${who} · ${question.at}`;
  const answer = item.querySelector(".answer");
  if (answer.textContent !== question.answer) answer.textContent = question.answer;
  answer.hidden = !question.answer;
}

function showPeople(state) {
  byId("hands").textContent = fill(words.textHands, { n: state.hands });
  byId("lower-form").hidden = !state.hands;
  byId("people-list").replaceChildren(
    ...state.people.map((one) => {
      const item = document.createElement("li");
      item.className = `one${one.since ? "" : " one-away"}${one.hand ? " one-hand" : ""}`;
      const name = Object.assign(document.createElement("span"), { className: "one-name", textContent: one.name });
      const parts = [one.hand && fill(words.textHand, { time: one.hand })];
      parts.push(one.since ? fill(words.textSince, { time: one.since }) : words.textAway);
      const when = Object.assign(document.createElement("span"), { className: "muted small", textContent: parts.filter(Boolean).join(" · ") });
      item.append(name, when);
      return item;
    }),
  );
}

// New materials come into the page without disturbing a video that plays.
let fetching = false;
async function showMaterials(ids) {
  const list = byId("material-list");
  for (const item of [...list.children]) if (!ids.includes(item.dataset.material)) item.remove();
  const there = new Set([...list.children].map((item) => item.dataset.material));
  if (fetching || ids.every((id) => there.has(id))) return;
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const item of page.querySelectorAll("#material-list > [data-material]")) {
      if (!there.has(item.dataset.material)) list.append(document.importNode(item, true));
    }
    byId("no-materials")?.remove();
    checkPlayers();
  } catch {
    tag = "";
  } finally {
    fetching = false;
  }
}

// A video that this browser cannot play is offered as a link alone.
function checkPlayers() {
  for (const video of document.querySelectorAll("video[data-type]")) {
    if (!video.canPlayType(video.dataset.type)) video.hidden = true;
  }
}

// Forms of the room are sent by the script; the page stays where it is.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const kind = form.id === "hand-form" ? "hand" : form.dataset.room;
  if (!kind) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const data = Object.fromEntries([...new FormData(form)].filter(([name]) => name !== "csrf_token"));
  if (kind === "hand") {
    const up = data.up === "yes";
    showHand(up);
  } else if (kind === "ask") {
    const item = byId("question-template").content.firstElementChild.cloneNode(true);
    item.dataset.waiting = data.text.trim();
    item.classList.add("question-waiting");
    item.querySelector("details")?.remove();
    item.querySelector(".question-text").textContent = data.text;
    byId("board").append(item);
    byId("no-questions").hidden = true;
    post(form.action, data, (message) => {
      item.remove();
      form.elements.text.value ||= data.text;
      form.elements.text.setCustomValidity(message || "");
      form.elements.text.reportValidity();
    });
    form.elements.text.value = "";
    form.elements.client_key.value = Math.random().toString(36).slice(2) + Date.now().toString(36);
    return;
  } else if (kind === "answer") form.closest("details").open = false;
  else if (kind === "hide") form.closest("li").remove();
  post(form.action, data);
}, true);
document.addEventListener("input", (event) => event.target.setCustomValidity?.(""));
document.addEventListener("visibilitychange", () => document.hidden || look());

checkPlayers();
timer = setTimeout(look, 1000 * Number(words.poll));
