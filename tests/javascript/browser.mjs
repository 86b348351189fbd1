// The scripts of a component as the browser reads them: one text, in which each knows the others.

import { readFileSync } from "node:fs";
import vm from "node:vm";

const COMPONENTS = new URL("../../cxr_app/ui/components/", import.meta.url);

/** Run scripts with stand-ins for what a browser offers; return the named values.
 * @param {string[]} scripts paths below the components' folder
 * @param {string[]} names what the test needs of them
 * @param {object} [globals] */
export function run(scripts, names, globals = {}) {
  const text = scripts.map((name) => readFileSync(new URL(name, COMPONENTS), "utf-8")).join("\n");
  // The test's own types of array, so that both sides take them for the same.
  const shared = { performance, TextDecoder, Uint8Array, Uint16Array, Uint32Array };
  const context = vm.createContext({ ...shared, ...globals });
  return vm.runInContext(`${text}\n;({ ${names.join(", ")} })`, context);
}
