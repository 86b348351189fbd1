// Messages to the page's script: each is sent, with the film it concerns, until it is acknowledged.

const MESSAGES_HELD = 40;
const RESEND = 1500; // milliseconds until a message that was not acknowledged is sent again

// By the name of the state that they are sent as: what one component has left, another sends.
if (!globalThis.unacknowledged) {
  globalThis.unacknowledged = new Map();
  // A browser asks before it closes or reloads a page that has not sent everything.
  globalThis.addEventListener?.("beforeunload", (event) => {
    const kinds = [...globalThis.unacknowledged.values()];
    if (kinds.some((messages) => messages.length)) event.preventDefault();
  });
}
let lastNumber = Date.now(); // of a message: grows over reloads too

/** Sends messages to the page's script. All instances of a component share those of one name: one that Streamlit
 * has put in the place of another goes on sending what was not acknowledged. */
class Sender {
  /** @param {HTMLElement} root @param {string} name of the component's state */
  constructor(root, name) {
    this.root = root;
    this.name = name;
    /** @type {(name: string, value: unknown) => void} */
    this.send = () => {};
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  get messages() {
    return globalThis.unacknowledged.get(this.name) ?? [];
  }

  set messages(messages) {
    globalThis.unacknowledged.set(this.name, messages);
  }

  /** Send a message with the film it concerns: whatever the script is drawing meanwhile, a verdict
   * goes to that film. Earlier messages go along, in case one was lost.
   * @param {{entry: string, [part: string]: string}} message
   * @returns {number} its own */
  add(message) {
    lastNumber += 1;
    this.messages = [...this.messages, { ...message, number: lastNumber }].slice(-MESSAGES_HELD);
    this._sendAll();
    return lastNumber;
  }

  /** Drop what the script has acted on: a restarted server must not get it again.
   * @param {number} number of the last message that was acted on */
  acknowledge(number) {
    this.messages = this.messages.filter((message) => message.number > number);
    if (this.messages.length) this._sendLater();
  }

  stop() {
    clearTimeout(this.timer);
  }

  _sendAll(again = false) {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.root.isConnected || !this.messages.length) return;
    if (!again || atRest()) {
      this.send(this.name, { list: this.messages, sentAt: performance.now() }); // the time makes it a new one
    }
    this._sendLater();
  }

  _sendLater() {
    this.timer ??= setTimeout(() => this._sendAll(true), RESEND);
  }
}
