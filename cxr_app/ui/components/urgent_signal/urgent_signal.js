// Says in the tab's title how many urgent films are unread and, if this reader wants it, sounds two
// tones when another reader marks one. It asks the server itself: nothing of the page is redrawn.

const SOUND_KEPT = "chest-film-triage-sound";
const ASK_EVERY = 10_000; // milliseconds
const TONES = [880, 1175]; // hertz

/** @typedef {{address: string, reader: string}} SignalData */

/** @type {SignalData} */
let asked = { address: "", reader: "" };
/** @type {Urgent} */
let urgent = { films: 0, newest: 0, by: "" };
let heard = -1; // the newest film that was there when this page last looked; -1 before it has
/** @type {HTMLButtonElement | null} */
let button = null;
/** @type {AudioContext | undefined} */
let audio;
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

const isOn = () => {
  try {
    return localStorage.getItem(SOUND_KEPT) === "on";
  } catch {
    return false; // a browser that stores nothing
  }
};

/** Sound two tones; a browser allows it once the reader has used the page. */
function sound() {
  audio ??= new AudioContext();
  audio.resume();
  TONES.forEach((tone, at) => {
    const context = /** @type {AudioContext} */ (audio);
    const [source, volume] = [context.createOscillator(), context.createGain()];
    const start = context.currentTime + 0.22 * at;
    source.frequency.value = tone;
    volume.gain.setValueAtTime(0.15, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.2);
    source.connect(volume).connect(context.destination);
    source.start(start);
    source.stop(start + 0.2);
  });
  if (button) button.dataset.sounded = String(Number(button.dataset.sounded ?? 0) + 1);
}

function showTitle() {
  const title = withCount(document.title, urgent.films);
  if (title !== document.title) document.title = title;
}

function showButton() {
  if (!button) return;
  button.textContent = isOn() ? "♪ Sound for urgent films: on" : "♪ Sound for urgent films: off";
  button.setAttribute("aria-pressed", String(isOn()));
}

function swap() {
  try {
    localStorage.setItem(SOUND_KEPT, isOn() ? "off" : "on");
  } catch {
    // it stays off
  }
  showButton();
  if (isOn()) sound(); // so that the reader knows it
}

async function ask() {
  try {
    const answer = await fetch(asked.address, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) return;
    urgent = await answer.json();
  } catch {
    return; // the server is away; the page says so
  }
  if (isNews(urgent, heard, asked.reader) && isOn()) sound();
  heard = urgent.newest;
  showTitle();
}

function start() {
  new MutationObserver(showTitle).observe(document.head, {
    subtree: true,
    childList: true,
    characterData: true,
  });
  timer = setInterval(ask, ASK_EVERY);
  ask();
}

/** Streamlit calls this at first and whenever the reader's name changes.
 * @param {ComponentArguments<SignalData>} component */
export default function ({ data, parentElement }) {
  asked = data;
  if (!parentElement.querySelector("button")) {
    button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", swap);
    parentElement.appendChild(button);
    showButton();
  }
  if (!timer) start();
}
