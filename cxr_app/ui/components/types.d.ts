// Types that several scripts share, for the type checker alone: the browser never sees this file.

/** When the reader last used a key or the pointer, by the page's clock. */
declare var lastTouch: number;

/** Messages not yet acted on by the page's script, by the name of the state they are sent as. */
declare var unacknowledged: Map<string, FilmMessage[]>;

/** One way of mapping values to brightness (DICOM PS3.3 C.11.2.1.2), or a VOI LUT. */
interface GreyWindow {
  name?: string;
  function: "LINEAR" | "LINEAR_EXACT" | "SIGMOID";
  center: number;
  width: number;
  /** Brightness in [0, 1] of a VOI LUT's entries; empty for a window function. */
  lut: number[];
}

/** What stands before the grey values of a film. Modality value = origin + step * stored value. */
interface FilmHeader {
  rows: number;
  columns: number;
  bits: 8 | 16;
  largest: number;
  origin: number;
  step: number;
  inverted: boolean;
  windows: GreyWindow[];
  film_rows: number;
  film_columns: number;
  /** Size of the whole film, and what it was measured at; null if the file does not state it. */
  millimetres?: { across: number; down: number; basis: string } | null;
  message?: string;
}

/** What stands before the values of a heatmap, in [0, 255]. */
interface HeatHeader {
  rows: number;
  columns: number;
  bits: 8;
  empty: boolean;
  /** Lines of points, in fractions of the film's width and height. */
  outline: [number, number][][];
  /** Lines around the lungs; none if they were not found. */
  lungs: [number, number][][];
  message?: string;
}

type GreyValues = Uint8Array | Uint16Array;

/** A film's grey values at one size, and the part of them that is painted. */
interface Level {
  values: GreyValues;
  rows: number;
  columns: number;
  canvas?: HTMLCanvasElement | null;
  painted?: Frame | null;
}

interface Frame {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Where the film lies in its box, in device pixels. */
interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
  scale: number;
}

/** What a component's page hands it, and how it answers (Streamlit components, version 2). */
interface ComponentArguments<Data> {
  data: Data;
  parentElement: HTMLElement & { host?: HTMLElement };
  setTriggerValue: (name: string, value: unknown) => void;
  setStateValue: (name: string, value: unknown) => void;
}

/** What a component tells the page's script of a film. */
interface FilmMessage {
  number: number;
  entry: string;
  [part: string]: string | number;
}

/** How a film was looked at. */
interface View {
  entry: string;
  preset: number;
  window: GreyWindow;
  inverted: boolean;
  /** By quarters clockwise first, then mirrored. */
  turn: { quarters: number; mirrored: boolean };
  place: { zoom: number; middle: { x: number; y: number } };
}

/** What the page asks the viewer for; see `film_viewer` in Python. */
interface ViewerData {
  entry: string;
  film: string;
  heat: string | null;
  next: string[];
  /** Where a key leads: the entry and the address of its film. */
  leadsTo?: Record<string, [string, string]>;
  note: string;
  keys: [string, string][];
  focus: Record<string, string>;
  acts: string;
  /** Keys that the page's buttons stand for, by the beginning of the buttons' names. */
  clicks?: Record<string, string>;
  acknowledged: number;
  heatOn: boolean;
  outline: boolean;
  /** Marks that are kept with the film, and whether the reader may add some. */
  marks: { kind: "length" | "angle" | "ratio" | "key_image"; points: [number, number][]; words: string }[];
  canMark: boolean;
  /** Which of two compared films it is; empty for a film alone. */
  side: "" | "current" | "earlier";
  marksAcknowledged: number;
}

/** A column of the film table; see `TableColumn` in Python. */
interface HeadColumn {
  id: string;
  label: string;
  width: number;
  sort: string;
  first: "ascending" | "descending";
  kind: "text" | "number" | "share";
  help: string;
}

/** A film in a table: the value of each column by its id. */
interface FilmRow {
  id: string;
  tone?: string;
  [column: string]: any;
}

/** Which columns a saved view has, and when the reader chose it. */
interface WantedColumns {
  stamp: number;
  order?: string[];
  hidden?: string[];
  widths?: Record<string, number>;
}

/** What the page asks the film table for; see `film_table` in Python. */
interface TableData {
  label: string;
  columns: HeadColumn[];
  rows: FilmRow[];
  sort: string;
  descending: boolean;
  height: string;
  /** Where the small pictures of films are; empty for a table without previews. */
  previews?: string;
  /** Columns of a saved view, taken over once. */
  wanted?: WantedColumns | null;
}

/** What the page asks the field for a comment for; see `comment_box` in Python. */
interface CommentData {
  entry: string;
  acknowledged: number;
  longest: number;
  hint: string;
}
