// The next film is shown as soon as its key is pressed, from this page's memory. Until the page's
// script answers, what stands around the film is of the one before: the page hides it
// (`film_page.css`), and further keys wait, since the page's address still names that film.

/** How far a viewer is ahead of the page's script. */
class Ahead {
  press = 0; // number of the key press that led to the film in view; 0 once it was answered
  /** @type {[string, string][]} */ kept = []; // keys, each with the film it was pressed at
  field = ""; // selector of the field that the reader wants to type in

  /** @param {any} viewer */
  constructor(viewer) {
    this.viewer = viewer;
  }

  /** Send one of the page's keys once the page knows the film in view, and show where it leads.
   * @param {string} key @param {string} entry of the film that it was pressed at */
  send(key, entry) {
    if (this.press) this.kept.push([key, entry]);
    else this._go(key, entry, this.viewer.presses.add({ key, entry }));
  }

  /** A comparison waits for the page: its other film changes too.
   * @param {string} key @param {string} entry @param {number} press */
  _go(key, entry, press) {
    const { leadsTo, comparison, stopping } = this.viewer;
    const other = leadsTo[key];
    if (!other || entry !== this.viewer.entry || comparison.side || stopping.signal.aborted) return;
    this.press = press;
    setTimeout(() => this._show(press, other)); // once the key is on its way
  }

  /** @param {number} press @param {[string, string]} other */
  _show(press, other) {
    if (this.press !== press) return; // the page was faster
    document.documentElement.dataset.filmAhead = "true";
    Object.assign(this.viewer, { note: "", next: [], leadsTo: {} });
    this.viewer.open(...other);
  }

  /** Return whether what the page says is older than the key press.
   * @param {number} acknowledged number of the last press that the page's script acted on */
  isOlder(acknowledged) {
    return acknowledged < this.press;
  }

  /** The page's script has answered, or the viewer ends: do what had to wait. */
  goOn() {
    if (this.press) delete document.documentElement.dataset.filmAhead;
    this.press = 0;
    for (const [key, entry] of this.kept.splice(0)) this.send(key, entry);
    const { field } = this;
    this.field = "";
    if (field) requestAnimationFrame(() => focusOn(field)); // once it is the new film's
  }

  /** Return what a key does now: a button's own shortcut would act on the film before, and a field
   * still belongs to it. What is typed before the field can be reached is nobody's key.
   * @param {string} key @param {(() => void) | undefined} usual */
  handlerOf(key, usual) {
    if (!this.press || key.length > 1) return usual;
    const field = this.viewer.focusKeys[key];
    if (this.field || !(field || usual)) return () => {};
    return field ? () => Object.assign(this, { field }) : usual;
  }
}
