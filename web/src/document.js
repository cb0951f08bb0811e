// The preview of documents and the placing of signatures; only their pages load it.
import { each } from "./js/dom.js";
import { sheet } from "./js/sheet.js";

each(document, "[data-sheet]", sheet);
