// What the pages gain from JavaScript. All of it works without, by forms and links.
import { check } from "./js/check.js";
import { clipboard } from "./js/clipboard.js";
import { cropper } from "./js/crop.js";
import { files } from "./js/files.js";
import { forms } from "./js/forms.js";
import { frame } from "./js/frame.js";
import { live } from "./js/live.js";
import { secrets } from "./js/secrets.js";
import { viewer } from "./js/viewer.js";

// enhance prepares the elements below root; it runs again on what a live region
// or an upload brings in, so every part skips what it has prepared already.
const enhance = (root) => {
  for (const part of [clipboard, secrets, forms, check, files, cropper, viewer, live]) part(root, enhance);
};

frame();
enhance(document);
