// What was signed and what the file is now, side by side; only the page that
// verifies loads it.
import { revisions } from "./js/revisions.js";

revisions();
