// The check of camera, microphone and line for people who wait at the door. It stays in this browser: the camera's picture
// goes to a <video>, the sound to a bar, and the line is measured by fetching our own icon. Who tried it out or skipped it
// is not asked again on that day.

const REMEMBERED = "lms-bridge-devices";
const ROUNDS = 4;
const SLOW_MS = 400;
const LINE_MS = 5000;
const SILENT_MS = 6000;
const HEARD = 4; // per cent of the bar

const box = document.getElementById("devices");
const picture = box.querySelector(".device-picture");
const heard = box.querySelector(".device-heard");
const level = box.querySelector("meter");
const results = {};
let streams = [];
let sound = null;
let turn = 0; // a check that was left or begun anew says nothing any more

const today = () => new Date().toDateString();

function remember(outcome) {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify({ day: today(), outcome }));
  } catch {
    // A private window keeps nothing: it asks again.
  }
}
function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(REMEMBERED));
    return kept?.day === today() ? kept.outcome : null;
  } catch {
    return null;
  }
}

function step(name) {
  for (const one of box.querySelectorAll("[data-step]")) one.hidden = one.dataset.step !== name;
}
function later(outcome) {
  for (const one of box.querySelectorAll("[data-outcome]")) one.hidden = one.dataset.outcome !== outcome;
  step("later");
}
function say(device, result) {
  results[device] = result;
  for (const one of box.querySelectorAll(`[data-device="${device}"] [data-result]`)) {
    one.hidden = one.dataset.result !== result;
  }
}

/** Let go of camera and microphone: the room will want them. */
function release() {
  turn += 1;
  for (const track of streams.flatMap((stream) => stream.getTracks())) track.stop();
  streams = [];
  sound?.close();
  sound = null;
  picture.srcObject = null;
  picture.hidden = heard.hidden = true;
}

const WHY = {
  NotAllowedError: "refused", SecurityError: "refused",
  NotFoundError: "none", OverconstrainedError: "none",
  NotReadableError: "busy", AbortError: "busy",
};

async function denied(name) {
  try {
    return (await navigator.permissions.query({ name })).state === "denied";
  } catch {
    return false;
  }
}

/** Both at once, so that the browser asks once; if that fails, one by one, to see which of them does not work. */
async function open(mine) {
  if (!navigator.mediaDevices?.getUserMedia) return { camera: "unable", microphone: "unable" };
  const wanted = { camera: "video", microphone: "audio" };
  const take = async (constraints) => {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    if (mine !== turn) stream.getTracks().forEach((track) => track.stop());
    else streams.push(stream);
    return stream;
  };
  try {
    const stream = await take({ video: true, audio: true });
    return { camera: stream, microphone: stream };
  } catch (error) {
    const blocked = { camera: await denied("camera"), microphone: await denied("microphone") };
    const waved = WHY[error.name] === "refused" && !blocked.camera && !blocked.microphone;
    const found = {};
    for (const [device, kind] of Object.entries(wanted)) {
      if (mine !== turn) break;
      if (waved || blocked[device]) found[device] = "refused";
      else found[device] = await take({ [kind]: true }).catch((why) => WHY[why.name] ?? "unable");
    }
    return found;
  }
}

function show(stream) {
  picture.srcObject = stream;
  picture.hidden = false;
  picture.play().catch(() => {});
  say("camera", "good");
}

function listen(stream, mine) {
  sound = new AudioContext();
  const ear = sound.createAnalyser();
  ear.fftSize = 1024;
  sound.createMediaStreamSource(stream).connect(ear);
  const wave = new Float32Array(ear.fftSize);
  heard.hidden = false;
  say("microphone", "listening");
  const began = performance.now();
  const look = () => {
    if (mine !== turn) return;
    ear.getFloatTimeDomainData(wave);
    const loudness = Math.sqrt(wave.reduce((sum, x) => sum + x * x, 0) / wave.length);
    level.value = Math.min(100, Math.round(loudness * 400));
    if (level.value >= HEARD) {
      if (results.microphone !== "good") say("microphone", "good");
    } else if (results.microphone === "listening" && performance.now() - began > SILENT_MS) say("microphone", "silent");
    requestAnimationFrame(look);
  };
  look();
}

/** How long our server takes to answer, the best of a few times, and whether the browser can make calls at all. */
async function measure() {
  if (typeof RTCPeerConnection !== "function") return "unable";
  const times = [];
  try {
    const call = new RTCPeerConnection();
    call.createDataChannel("line");
    await call.createOffer();
    call.close();
  } catch {
    return "unable";
  }
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const began = performance.now();
      const answer = await fetch(box.dataset.line, { cache: "no-store", signal: AbortSignal.timeout(LINE_MS) });
      await answer.arrayBuffer();
      if (!answer.ok) return "offline";
      times.push(performance.now() - began);
    }
  } catch (error) {
    return error.name === "TimeoutError" ? "slow" : "offline";
  }
  return Math.min(...times) > SLOW_MS ? "slow" : "good";
}

async function check() {
  release();
  const mine = turn;
  step("try");
  for (const device of ["camera", "microphone", "network"]) say(device, "asking");
  measure().then((result) => { if (mine === turn) say("network", result); });
  const { camera, microphone } = await open(mine);
  if (mine !== turn) return;
  if (typeof camera === "string") say("camera", camera);
  else show(camera);
  if (typeof microphone === "string") say("microphone", microphone);
  else listen(microphone, mine);
}

function done() {
  const outcome = Object.values(results).every((result) => result === "good") ? "good" : "bad";
  release();
  remember(outcome);
  later(outcome);
}

const buttons = {
  check, done,
  skip: () => { remember("skipped"); later("skipped"); },
};
box.addEventListener("click", (event) => buttons[event.target.closest("[data-do]")?.dataset.do]?.());
document.addEventListener("submit", (event) => {
  if (!event.target.closest(".door-form")) return;
  release();
  box.hidden = true;
});
addEventListener("pagehide", release);

const before = remembered();
if (before) later(before);
box.hidden = false;
